//! The picture as SVG. All text goes through [`xml`].

use std::fmt::Write as _;

use trueup_access::data::AccessLevel;

use super::layout::{self, HEIGHT, MARGIN, Place, TOP};
use super::{Graph, Meaning, NodeKind};
use crate::escape;

/// Text that an XML reader takes for nothing but text.
pub(super) fn xml(foreign: &str) -> String {
    let mut out = String::with_capacity(foreign.len());
    for c in escape::text(foreign).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML has no way to write these.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A label that fits its box; the whole of it is in the box's title.
fn fitting(label: &str, width: i64) -> String {
    let shown = escape::text(label);
    let most = usize::try_from((width - 20) * 10 / 72).unwrap_or(0);
    match shown.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown.into_owned(),
    }
}

fn colour(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Holds => "#98a2b3",
        Meaning::Boundary => "#6941c6",
        Meaning::Denies => "#98a2b3",
        Meaning::Allows(AccessLevel::List) => "#2e90fa",
        Meaning::Allows(AccessLevel::Read) => "#175cd3",
        Meaning::Allows(AccessLevel::Write) => "#dc6803",
        Meaning::Allows(AccessLevel::Tagging) => "#b54708",
        Meaning::Allows(AccessLevel::Permissions) => "#d92d20",
    }
}

fn is_dashed(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Boundary | Meaning::Denies)
}

const STYLE: &str = "text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#101828}\
.h{font-weight:600;font-size:12px;fill:#475467;letter-spacing:.04em}.t{font-weight:600;font-size:16px}\
.s{font-size:12px;fill:#475467}path{fill:none;stroke-width:1.5}path:hover{stroke-width:3.5}";

const HEADINGS: [(NodeKind, &str); 4] = [
    (NodeKind::Principal, "USERS AND ROLES"),
    (NodeKind::Group, "GROUPS"),
    (NodeKind::Policy, "POLICIES"),
    (NodeKind::Service, "SERVICES"),
];

const LEGEND: [(Meaning, &str); 6] = [
    (Meaning::Allows(AccessLevel::Permissions), "permissions management"),
    (Meaning::Allows(AccessLevel::Write), "write"),
    (Meaning::Allows(AccessLevel::Tagging), "tagging"),
    (Meaning::Allows(AccessLevel::Read), "read"),
    (Meaning::Allows(AccessLevel::List), "list"),
    (Meaning::Boundary, "boundary"),
];

/// The picture as an SVG document with a final line feed.
pub fn graph_svg(graph: &Graph) -> String {
    let (places, (width, height)) = layout::place(graph);
    let height = height + 56;
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">",
        xml(&graph.title)
    );
    let _ = writeln!(out, "<style>{STYLE}</style>");
    let _ = writeln!(out, "<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>");
    let _ = writeln!(
        out,
        "<text class=\"t\" x=\"{MARGIN}\" y=\"34\">{}</text>",
        xml(&graph.title)
    );
    write_headings(&mut out, graph, &places);
    for edge in &graph.edges {
        write_edge(&mut out, graph, &places, edge);
    }
    for (node, place) in graph.nodes.iter().zip(&places) {
        let (fill, stroke) = match node.kind {
            NodeKind::Principal => ("#f0f9ff", "#7cd4fd"),
            NodeKind::Group => ("#f0fdf4", "#86efac"),
            NodeKind::Policy => ("#fefbe8", "#fde272"),
            NodeKind::Service => ("#f9fafb", "#d0d5dd"),
        };
        let Place { x, y, width } = *place;
        let _ = writeln!(
            out,
            "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" rx=\"6\" fill=\"{fill}\" stroke=\"{stroke}\"/><text x=\"{}\" y=\"{}\">{}</text></g>",
            xml(&node.detail),
            x + 10,
            y + 18,
            xml(&fitting(&node.label, width)),
        );
    }
    write_legend(&mut out, graph, height - 44);
    out.push_str("</svg>\n");
    out
}

fn write_headings(out: &mut String, graph: &Graph, places: &[Place]) {
    for (kind, heading) in HEADINGS {
        let first = graph.boxes_of(kind).next();
        if let Some((index, _)) = first {
            let count = graph.boxes_of(kind).count();
            let _ = writeln!(
                out,
                "<text class=\"h\" x=\"{}\" y=\"{}\">{heading} · {count}</text>",
                places[index].x,
                TOP - 16
            );
        }
    }
}

fn write_edge(out: &mut String, graph: &Graph, places: &[Place], edge: &super::Edge) {
    let (from, to) = (places[edge.from], places[edge.to]);
    let (x1, y1) = (from.x + from.width, from.y + HEIGHT / 2);
    let (x2, y2) = (to.x, to.y + HEIGHT / 2);
    let bend = (x2 - x1) / 2;
    let meaning = match edge.meaning {
        Meaning::Holds => String::new(),
        Meaning::Boundary => " (permissions boundary)".to_owned(),
        Meaning::Denies => " (denies, or not known)".to_owned(),
        Meaning::Allows(level) => format!(" (up to {level})"),
    };
    let dash = if is_dashed(edge.meaning) {
        " stroke-dasharray=\"5 4\""
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "<path d=\"M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}\" stroke=\"{}\"{dash}><title>{} → {}{}</title></path>",
        x1 + bend,
        x2 - bend,
        colour(edge.meaning),
        xml(&graph.nodes[edge.from].label),
        xml(&graph.nodes[edge.to].label),
        xml(&meaning),
    );
}

fn write_legend(out: &mut String, graph: &Graph, y: i64) {
    let mut x = MARGIN;
    for (meaning, words) in LEGEND {
        let dash = if is_dashed(meaning) {
            " stroke-dasharray=\"5 4\""
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "<path d=\"M{x} {y}h24\" stroke=\"{}\"{dash}/><text class=\"s\" x=\"{}\" y=\"{}\">{words}</text>",
            colour(meaning),
            x + 30,
            y + 4
        );
        x += 52 + 7 * words.len() as i64;
    }
    let _ = writeln!(
        out,
        "<text class=\"s\" x=\"{MARGIN}\" y=\"{}\">{}</text>",
        y + 28,
        xml(&graph.footnote)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_text() {
        let hostile = "</title><script>alert('x')</script>&\u{202e}\u{1b}\"";
        assert_eq!(
            xml(hostile),
            "&lt;/title&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;\\u{202e}\\u{1b}&quot;"
        );
        assert!(fitting(&"x".repeat(500), 180).ends_with('…'));
    }
}
