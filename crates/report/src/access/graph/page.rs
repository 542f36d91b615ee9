//! The picture as a page that needs nothing else: no script, no font, no request. What the picture shows stands below
//! it as a table.

use std::fmt::Write as _;

use super::svg::{graph_svg, xml};
use super::{Graph, Meaning, NodeKind};

const STYLE: &str = "body{margin:24px;font:14px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;color:#101828;background:#fff}\
main{overflow-x:auto}table{border-collapse:collapse;margin-top:24px}\
td,th{border:1px solid #eaecf0;padding:6px 10px;text-align:left;vertical-align:top}th{background:#f9fafb}";

/// The picture as an HTML page with a final line feed.
pub fn graph_html(graph: &Graph) -> String {
    let title = xml(&graph.title);
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{}</main>\n",
        graph_svg(graph)
    );
    out.push_str("<table>\n<tr><th>Who</th><th>Groups</th><th>Policies</th><th>Boundary</th></tr>\n");
    let kinds = [NodeKind::Principal, NodeKind::Group];
    for (index, node) in kinds.iter().flat_map(|kind| graph.boxes_of(*kind)) {
        let reached = |kind: NodeKind, is_boundary: bool| -> String {
            let edges = graph.edges.iter().filter(|edge| edge.from == index);
            let ends = edges
                .filter(|edge| (edge.meaning == Meaning::Boundary) == is_boundary)
                .map(|edge| &graph.nodes[edge.to])
                .filter(|node| node.kind == kind);
            let labels: Vec<String> = ends.map(|node| xml(&node.label)).collect();
            labels.join("<br>")
        };
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            xml(&node.detail),
            reached(NodeKind::Group, false),
            reached(NodeKind::Policy, false),
            reached(NodeKind::Policy, true),
        );
    }
    out.push_str("</table>\n</body>\n</html>\n");
    out
}
