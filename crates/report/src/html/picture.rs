//! The account's map as a picture: users on the left, groups between, policies on the right, and a table that says the
//! same to whoever does not see it.
//!
//! Users who hold the same and of whom the same becomes are one box, so that five thousand of them are a picture too.
//! The order in each column is that of what it is tied to, which keeps lines short; what changes comes first.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::graph::{Graph, State, Thing, Tie};
use crate::{escape::html, page::count};

/// How many boxes of one column are drawn. What the plan changes is drawn first.
const DRAWN: usize = 80;
/// Columns: where they begin, and how wide their boxes are.
const COLUMNS: [f64; 3] = [0.0, 370.0, 740.0];
const WIDTH: f64 = 250.0;
const ROW: f64 = 34.0;
const HEIGHT: f64 = 26.0;
const TOP: f64 = 30.0;
/// How many characters of a name fit into a box.
const SHOWN_CHARACTERS: usize = 30;
/// How many names of a box are said in the table.
const SHOWN_NAMES: usize = 5;

/// A picture and the table beside it.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// The drawing, as SVG.
    pub(super) svg: String,
    /// What was not drawn for lack of room, in words.
    pub(super) left_out: Option<String>,
    /// The same in words.
    pub(super) rows: Vec<Row>,
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) who: String,
    pub(super) state: &'static str,
    pub(super) through: Vec<String>,
    pub(super) policies: Vec<String>,
}

/// One box.
struct Node<'g> {
    /// The users that it stands for, or the one thing.
    things: Vec<&'g Thing>,
    state: State,
    touched: bool,
    /// Where it stands among those of its column.
    rank: f64,
    row: usize,
}

impl Node<'_> {
    fn label(&self) -> String {
        match self.things.as_slice() {
            [one] => one.name().to_owned(),
            many => count(many.len() as u64, "user", "users"),
        }
    }

    fn title(&self) -> String {
        let mut names: Vec<&str> = self.things.iter().take(SHOWN_NAMES).map(|thing| thing.name()).collect();
        let more = format!("{} more", self.things.len().saturating_sub(SHOWN_NAMES));
        if self.things.len() > SHOWN_NAMES {
            names.push(&more);
        }
        let kind = self.things.first().map_or("", |thing| thing.kind());
        format!("{kind} {}: {}", names.join(", "), self.state.word())
    }
}

/// An arrow between boxes, by column and index.
type Line = ((usize, usize), (usize, usize), Tie, State);

/// What somebody holds, and how.
type Held<'g> = Vec<(&'g Thing, Tie, State)>;

pub(super) fn draw(graph: &Graph) -> Picture {
    if graph.ties.is_empty() {
        return Picture::default();
    }
    let touched = graph.touched();
    let mut columns = [
        users(graph, &touched),
        groups(graph, &touched),
        policies(graph, &touched),
    ];
    let mut left_out = Vec::new();
    let words = [
        ("box of users", "boxes of users"),
        ("group", "groups"),
        ("policy", "policies"),
    ];
    for (column, (one, many)) in columns.iter_mut().zip(words) {
        column.sort_by_key(|node| !node.touched);
        if column.len() > DRAWN {
            left_out.push(count((column.len() - DRAWN) as u64, one, many));
            column.truncate(DRAWN);
        }
    }
    let places: BTreeMap<&Thing, (usize, usize)> = columns
        .iter()
        .enumerate()
        .flat_map(|(column, nodes)| {
            nodes
                .iter()
                .enumerate()
                .flat_map(move |(index, node)| node.things.iter().map(move |thing| (*thing, (column, index))))
        })
        .collect();
    let lines: BTreeSet<Line> = graph
        .ties
        .iter()
        .filter_map(|((from, to, tie), state)| Some((*places.get(from)?, *places.get(to)?, *tie, *state)))
        .collect();
    arrange(&mut columns, &lines);
    Picture {
        svg: svg(&columns, &lines),
        left_out: (!left_out.is_empty()).then(|| left_out.join(", ")),
        rows: rows(graph, &columns),
    }
}

fn node<'g>(things: Vec<&'g Thing>, state: State, touched: &BTreeSet<&Thing>) -> Node<'g> {
    Node {
        touched: things.iter().any(|thing| touched.contains(*thing)),
        things,
        state,
        rank: 0.0,
        row: 0,
    }
}

/// Users with the same ties and the same fate are one box.
fn users<'g>(graph: &'g Graph, touched: &BTreeSet<&Thing>) -> Vec<Node<'g>> {
    let mut alike: BTreeMap<(State, Held<'_>), Vec<&Thing>> = BTreeMap::new();
    for (thing, state) in &graph.things {
        if matches!(thing, Thing::User(_)) {
            alike
                .entry((*state, graph.from(thing).collect()))
                .or_default()
                .push(thing);
        }
    }
    alike
        .into_iter()
        .map(|((state, _), things)| node(things, state, touched))
        .collect()
}

fn groups<'g>(graph: &'g Graph, touched: &BTreeSet<&Thing>) -> Vec<Node<'g>> {
    let groups = graph
        .things
        .iter()
        .filter(|(thing, _)| matches!(thing, Thing::Group(_)));
    groups
        .map(|(thing, state)| node(vec![thing], *state, touched))
        .collect()
}

/// Policies that somebody holds, and those that change.
fn policies<'g>(graph: &'g Graph, touched: &BTreeSet<&Thing>) -> Vec<Node<'g>> {
    let held: BTreeSet<&Thing> = graph.ties.keys().map(|(_, to, _)| to).collect();
    let policies = graph.things.iter().filter(|(thing, state)| {
        !matches!(thing, Thing::User(_) | Thing::Group(_)) && (held.contains(thing) || **state != State::Kept)
    });
    policies
        .map(|(thing, state)| node(vec![thing], *state, touched))
        .collect()
}

/// Gives every box its row: near to what it is tied to, what changes before the rest.
fn arrange(columns: &mut [Vec<Node<'_>>; 3], lines: &BTreeSet<Line>) {
    for column in columns.iter_mut() {
        for (row, node) in column.iter_mut().enumerate() {
            node.row = row;
        }
    }
    for _ in 0..4 {
        for column in [1, 2, 0] {
            let mut neighbours: Vec<(f64, f64)> = vec![(0.0, 0.0); columns[column].len()];
            for (from, to, _, _) in lines {
                for (here, there) in [(from, to), (to, from)] {
                    if here.0 == column {
                        let (sum, number) = &mut neighbours[here.1];
                        *sum += columns[there.0][there.1].row as f64;
                        *number += 1.0;
                    }
                }
            }
            let nodes = &mut columns[column];
            for (node, (sum, number)) in nodes.iter_mut().zip(neighbours) {
                node.rank = if number > 0.0 { sum / number } else { f64::MAX };
            }
            let mut order: Vec<usize> = (0..nodes.len()).collect();
            order.sort_by(|a, b| {
                let (a, b) = (&nodes[*a], &nodes[*b]);
                b.touched
                    .cmp(&a.touched)
                    .then(a.rank.total_cmp(&b.rank))
                    .then_with(|| a.things.cmp(&b.things))
            });
            for (row, index) in order.into_iter().enumerate() {
                nodes[index].row = row;
            }
        }
    }
}

fn middle(row: usize) -> f64 {
    TOP + row as f64 * ROW + HEIGHT / 2.0
}

fn svg(columns: &[Vec<Node<'_>>; 3], lines: &BTreeSet<Line>) -> String {
    let longest = columns.iter().map(Vec::len).max().unwrap_or_default();
    let (width, height) = (COLUMNS[2] + WIDTH, TOP + longest as f64 * ROW);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-2 0 {} {height}\" width=\"{}\" height=\"{height}\" role=\"img\" \
         aria-labelledby=\"map-title\" aria-describedby=\"map-words\">\n",
        width + 4.0,
        width + 4.0
    );
    for (x, title) in COLUMNS.iter().zip(["Users", "Groups", "Policies"]) {
        let _ = writeln!(out, "<text class=\"head\" x=\"{x}\" y=\"16\">{title}</text>");
    }
    // What changes is drawn last, over the rest.
    let mut ordered: Vec<&Line> = lines.iter().collect();
    ordered.sort_by_key(|(_, _, _, state)| *state != State::Kept);
    for ((from_column, from), (to_column, to), tie, state) in ordered {
        let (x1, y1) = (COLUMNS[*from_column] + WIDTH, middle(columns[*from_column][*from].row));
        let (x2, y2) = (COLUMNS[*to_column], middle(columns[*to_column][*to].row));
        let bend = (x2 - x1) / 2.0;
        let boundary = if *tie == Tie::Boundary { " boundary" } else { "" };
        let _ = writeln!(
            out,
            "<path class=\"tie {}{boundary}\" data-ends=\"n{from_column}-{from} n{to_column}-{to}\" d=\"M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}\"/>",
            state.word(),
            x1 + bend,
            x2 - bend
        );
    }
    for (column, nodes) in columns.iter().enumerate() {
        for (index, node) in nodes.iter().enumerate() {
            let (x, y) = (COLUMNS[column], middle(node.row) - HEIGHT / 2.0);
            let kind = if matches!(node.things.first(), Some(Thing::Inline(_))) {
                " inline"
            } else {
                ""
            };
            let _ = writeln!(
                out,
                "<g class=\"node {}{kind}\" data-node=\"n{column}-{index}\"><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/><text x=\"{}\" y=\"{}\">{}{}</text></g>",
                node.state.word(),
                html(&node.title()),
                x + 10.0,
                y + 17.5,
                node.state.sign(),
                html(&shortened(&node.label()))
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(SHOWN_CHARACTERS) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name.to_owned(),
    }
}

/// The picture in words: what each box of users and each group holds.
fn rows(graph: &Graph, columns: &[Vec<Node<'_>>; 3]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut ordered: Vec<&Node<'_>> = columns[0].iter().collect();
    ordered.sort_by_key(|node| node.row);
    let mut groups: Vec<&Node<'_>> = columns[1].iter().collect();
    groups.sort_by_key(|node| node.row);
    for node in ordered.into_iter().chain(groups) {
        let Some(first) = node.things.first() else { continue };
        let mut names: Vec<String> = node
            .things
            .iter()
            .take(SHOWN_NAMES)
            .map(|thing| thing.name().to_owned())
            .collect();
        if node.things.len() > SHOWN_NAMES {
            names.push(format!("{} more", node.things.len() - SHOWN_NAMES));
        }
        let said = |wanted: bool| {
            graph
                .from(first)
                .filter(|(to, ..)| matches!(to, Thing::Group(_)) == wanted)
                .map(|(to, tie, state)| {
                    let boundary = if tie == Tie::Boundary { "boundary " } else { "" };
                    let state = if state == State::Kept {
                        String::new()
                    } else {
                        format!(" ({})", state.word())
                    };
                    format!("{boundary}{}{state}", to.name())
                })
                .collect()
        };
        rows.push(Row {
            who: format!("{} {}", first.kind(), names.join(", ")),
            state: node.state.word(),
            through: said(true),
            policies: said(false),
        });
    }
    rows
}
