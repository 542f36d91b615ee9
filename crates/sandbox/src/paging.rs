//! `MaxItems` and `Marker`. Markers are opaque and bound to the operation and its filters.

use crate::{errors::ApiError, validate::Input, wire::Xml};

/// The number of items of a page where the request does not say.
const DEFAULT_ITEMS: usize = 100;

/// How answers are cut into pages beyond what a request asks for. AWS promises neither full nor non-empty pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PageShape {
    /// At most this many items, whatever the request allows.
    pub(crate) cap: Option<usize>,
    /// Every page that has items is preceded by an empty one that says it is truncated.
    pub(crate) empty_first: bool,
}

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    marker: Option<String>,
}

impl<T> Page<T> {
    /// Writes `IsTruncated` and, on a truncated page, `Marker`.
    pub(crate) fn write_end(&self, xml: &mut Xml) {
        xml.flag("IsTruncated", self.marker.is_some())
            .optional("Marker", self.marker.as_ref());
    }
}

/// What a request says about pages.
#[derive(Debug)]
pub(crate) struct PageRequest {
    limit: usize,
    marker: Option<String>,
    action: String,
    shape: PageShape,
}

impl PageRequest {
    /// Reads `MaxItems` and `Marker`; what is wrong with them is added to the problems of `input`.
    pub(crate) fn read(input: &mut Input<'_>) -> Self {
        let limit = input.number("MaxItems", 1, 1000);
        let marker = input.optional("Marker", &crate::validate::MARKER);
        Self {
            limit: limit
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(DEFAULT_ITEMS),
            marker,
            action: input.request().action.clone(),
            shape: input.request().pages,
        }
    }

    /// Cuts a page out of all items. `filter` is everything in the request that decides which items there are.
    pub(crate) fn cut<T>(&self, items: Vec<T>, filter: &str) -> Result<Page<T>, ApiError> {
        let position = match &self.marker {
            Some(marker) => Position::decode(marker, &self.action, filter)?,
            None => Position::default(),
        };
        let total = items.len();
        if position.offset > total {
            // Everything that the marker pointed behind is gone by now.
            return Ok(Page {
                items: Vec::new(),
                marker: None,
            });
        }
        let marker = |position: Position| Some(position.encode(&self.action, filter));
        if self.shape.empty_first && !position.after_empty && position.offset < total {
            return Ok(Page {
                items: Vec::new(),
                marker: marker(Position {
                    after_empty: true,
                    ..position
                }),
            });
        }
        let limit = self.shape.cap.map_or(self.limit, |cap| self.limit.min(cap.max(1)));
        let end = total.min(position.offset + limit);
        let items = items.into_iter().skip(position.offset).take(limit).collect();
        let next = Position {
            offset: end,
            after_empty: false,
        };
        Ok(Page {
            items,
            marker: if end < total { marker(next) } else { None },
        })
    }
}

/// Where in a list a marker points.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    offset: usize,
    after_empty: bool,
}

impl Position {
    fn encode(self, action: &str, filter: &str) -> String {
        let body = format!("{:08x}{}", self.offset, u8::from(self.after_empty));
        format!(
            "{body}{:016x}{:016x}",
            digest(&[action, &body]),
            digest(&[action, &body, filter])
        )
    }

    fn decode(marker: &str, action: &str, filter: &str) -> Result<Self, ApiError> {
        let invalid = || ApiError::validation("Invalid Marker.");
        let (body, checks) = marker.split_at_checked(9).ok_or_else(invalid)?;
        let offset = usize::from_str_radix(&body[..8], 16).map_err(|_| invalid())?;
        let position = Self {
            offset,
            after_empty: body.ends_with('1'),
        };
        let expected = position.encode(action, filter);
        if expected == marker {
            Ok(position)
        } else if checks.len() == 32 && checks.get(..16) == expected.get(9..25) {
            Err(ApiError::validation("Marker and Filter do not match."))
        } else {
            Err(invalid())
        }
    }
}

/// FNV-1a over all parts. It keeps honest mistakes out, no more is needed of a marker.
fn digest(parts: &[&str]) -> u64 {
    parts
        .iter()
        .flat_map(|part| part.bytes().chain(std::iter::once(0)))
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
