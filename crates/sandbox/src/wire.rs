//! The AWS Query protocol: a form comes in, XML goes out. Knows nothing of what the operations mean.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{caller::Caller, errors::ApiError, paging::PageShape, state::Session};

/// The API version that every IAM request names.
pub(crate) const IAM_VERSION: &str = "2010-05-08";
const IAM_NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
/// The API version of STS.
pub(crate) const STS_VERSION: &str = "2011-06-15";
const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The operations whose answer has a result with nothing in it, which botocore insists on.
const HAS_EMPTY_RESULT: [&str; 1] = ["UpdateRole"];

/// RFC 3986's unreserved characters stay; IAM encodes everything else in documents that it answers with.
const DOCUMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One request, parsed but not yet checked.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) action: String,
    pub(crate) version: String,
    pub(crate) parameters: BTreeMap<String, String>,
    /// When it arrived, in whole seconds: IAM tells no finer times.
    pub(crate) now: Timestamp,
    /// How answers are cut into pages.
    pub(crate) pages: PageShape,
    /// Who sent it: root, where nobody looks.
    pub(crate) caller: Caller,
    /// The session that the caller is, if it is one.
    pub(crate) session: Option<Session>,
}

impl Request {
    /// Whether it asks STS, not IAM.
    pub(crate) fn is_sts(&self) -> bool {
        self.version == STS_VERSION
    }

    /// Parses the body of a request. Of a parameter given twice the last one counts.
    pub(crate) fn parse(body: &[u8], now: Timestamp, pages: PageShape) -> Self {
        let mut parameters: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        Self {
            action: parameters.remove("Action").unwrap_or_default(),
            version: parameters.remove("Version").unwrap_or_default(),
            parameters,
            now: Timestamp::from_second(now.as_second()).unwrap_or(now),
            pages,
            caller: Caller::Root,
            session: None,
        }
    }

    /// A parameter as it came.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// A list parameter, `Name.member.1` and so on; `None` where the request has no member of it.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&str>> {
        let members: Vec<&str> = (1..)
            .map_while(|index| self.parameter(&format!("{name}.member.{index}")))
            .collect();
        // An empty list goes over the wire as `Name=`.
        (!members.is_empty() || self.parameters.contains_key(name)).then_some(members)
    }
}

/// An answer being written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Xml(String);

impl Xml {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// `<name>text</name>`, escaped.
    pub(crate) fn text(&mut self, name: &str, text: impl AsRef<str>) -> &mut Self {
        self.element(name, |xml| escape(text.as_ref(), &mut xml.0))
    }

    /// The same, left out where there is no text.
    pub(crate) fn optional(&mut self, name: &str, text: Option<impl AsRef<str>>) -> &mut Self {
        if let Some(text) = text {
            self.text(name, text);
        }
        self
    }

    /// `<name>…</name>` with what `content` writes.
    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) -> &mut Self {
        // Writing to a String cannot fail.
        let _ = write!(self.0, "<{name}>");
        content(self);
        let _ = write!(self.0, "</{name}>");
        self
    }

    /// `<name><member>…</member>…</name>`; an empty list is an empty element.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut member: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.element(name, |xml| {
            for item in items {
                xml.element("member", |xml| member(xml, item));
            }
        })
    }

    /// A list of plain texts.
    pub(crate) fn texts<T: AsRef<str>>(&mut self, name: &str, items: impl IntoIterator<Item = T>) -> &mut Self {
        self.list(name, items, |xml, item| escape(item.as_ref(), &mut xml.0))
    }

    /// A policy document, percent-encoded as IAM does in all its answers.
    pub(crate) fn document(&mut self, name: &str, document: &str) -> &mut Self {
        self.text(name, utf8_percent_encode(document, DOCUMENT).to_string())
    }

    pub(crate) fn time(&mut self, name: &str, time: Timestamp) -> &mut Self {
        self.text(name, time.to_string())
    }

    pub(crate) fn flag(&mut self, name: &str, flag: bool) -> &mut Self {
        self.text(name, if flag { "true" } else { "false" })
    }

    pub(crate) fn number(&mut self, name: &str, number: impl std::fmt::Display) -> &mut Self {
        self.text(name, number.to_string())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The envelope of an answer that succeeded.
pub(crate) fn success(request: &Request, result: &Xml, request_id: &str) -> String {
    let action = &request.action;
    let namespace = if request.is_sts() { STS_NAMESPACE } else { IAM_NAMESPACE };
    let mut xml = Xml::new();
    if !result.is_empty() || HAS_EMPTY_RESULT.contains(&action.as_str()) {
        xml.element(&format!("{action}Result"), |xml| xml.0.push_str(&result.0));
    }
    xml.element("ResponseMetadata", |xml| {
        xml.text("RequestId", request_id);
    });
    format!("<{action}Response xmlns=\"{namespace}\">{}</{action}Response>", xml.0)
}

/// The envelope of a refusal.
pub(crate) fn failure(request: &Request, error: &ApiError, request_id: &str) -> String {
    let namespace = if request.is_sts() { STS_NAMESPACE } else { IAM_NAMESPACE };
    let mut xml = Xml::new();
    xml.element("Error", |xml| {
        xml.text("Type", if error.is_senders() { "Sender" } else { "Receiver" })
            .text("Code", error.code)
            .optional("Message", Some(&error.message).filter(|message| !message.is_empty()));
    })
    .text("RequestId", request_id);
    format!("<ErrorResponse xmlns=\"{namespace}\">{}</ErrorResponse>", xml.0)
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Unescaped, an XML parser would turn these into a line feed and blanks.
            '\r' | '\n' | '\t' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            // XML 1.0 has no way to write the remaining control characters.
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str) -> Request {
        Request::parse(body.as_bytes(), Timestamp::UNIX_EPOCH, PageShape::default())
    }

    #[test]
    fn lists_are_read_member_by_member() {
        let parsed = request("Action=UntagUser&Version=2010-05-08&TagKeys.member.1=a+b&TagKeys.member.2=%2B&Empty=");
        assert_eq!(parsed.action, "UntagUser");
        assert_eq!(parsed.list("TagKeys"), Some(vec!["a b", "+"]));
        assert_eq!(parsed.list("Empty"), Some(vec![]));
        assert_eq!(parsed.list("Absent"), None);
    }

    #[test]
    fn hostile_text_cannot_leave_its_element() {
        let mut xml = Xml::new();
        xml.text("Description", "</Description><X a=\"'&\r\u{1}");
        assert_eq!(
            xml.0,
            "<Description>&lt;/Description&gt;&lt;X a=&quot;&apos;&amp;&#13;\u{fffd}</Description>"
        );
    }

    #[test]
    fn documents_are_percent_encoded_with_no_plus_for_blanks() {
        let mut xml = Xml::new();
        xml.document("D", "{\"a\": \"+%é~\"}");
        assert_eq!(xml.0, "<D>%7B%22a%22%3A%20%22%2B%25%C3%A9~%22%7D</D>");
    }

    #[test]
    fn results_are_there_where_the_model_has_one() {
        let answer = |action: &str| {
            success(
                &request(&format!("Action={action}&Version={IAM_VERSION}")),
                &Xml::new(),
                "id",
            )
        };
        assert!(answer("UpdateRole").contains("<UpdateRoleResult></UpdateRoleResult>"));
        assert!(!answer("DeleteRole").contains("Result"));
    }

    #[test]
    fn times_have_whole_seconds() {
        let time = "2026-11-22T01:02:03.987654Z".parse().unwrap();
        let parsed = Request::parse(b"Action=X", time, PageShape::default());
        let mut xml = Xml::new();
        xml.time("T", parsed.now);
        assert_eq!(xml.0, "<T>2026-11-22T01:02:03Z</T>");
    }
}
