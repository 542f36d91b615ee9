//! Where each box stands: a column by kind, and in it an order in which few lines cross.

use std::collections::BTreeMap;

use super::{Graph, NodeKind};

/// A box with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
}

pub(super) const HEIGHT: i64 = 28;
pub(super) const TOP: i64 = 84;
pub(super) const MARGIN: i64 = 24;
const GAP: i64 = 12;
const COLUMN_GAP: i64 = 120;
/// How often the columns are put in order by their neighbours.
const SWEEPS: usize = 6;

const COLUMNS: [(NodeKind, i64); 4] = [
    (NodeKind::Principal, 220),
    (NodeKind::Group, 180),
    (NodeKind::Policy, 260),
    (NodeKind::Service, 180),
];

/// The places of all boxes, and the size of the picture.
pub(super) fn place(graph: &Graph) -> (Vec<Place>, (i64, i64)) {
    let mut columns: Vec<Vec<usize>> = COLUMNS
        .iter()
        .map(|(kind, _)| {
            let mut column: Vec<usize> = graph.boxes_of(*kind).map(|(index, _)| index).collect();
            column.sort_by_key(|index| (&graph.nodes[*index].label, *index));
            column
        })
        .collect();
    let mut neighbours: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for edge in &graph.edges {
        neighbours.entry(edge.from).or_default().push(edge.to);
        neighbours.entry(edge.to).or_default().push(edge.from);
    }
    for sweep in 0..SWEEPS {
        let order: Vec<usize> = match sweep % 2 {
            0 => (0..columns.len()).collect(),
            _ => (0..columns.len()).rev().collect(),
        };
        for column in order {
            sort(&mut columns, column, &neighbours);
        }
    }
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0) as i64;
    let total = tallest * (HEIGHT + GAP) - GAP;
    let mut places = vec![Place { x: 0, y: 0, width: 0 }; graph.nodes.len()];
    let mut x = MARGIN;
    for ((_, width), column) in COLUMNS.iter().zip(&columns) {
        let own = column.len() as i64 * (HEIGHT + GAP) - GAP;
        let mut y = TOP + (total - own).max(0) / 2;
        for index in column {
            places[*index] = Place { x, y, width: *width };
            y += HEIGHT + GAP;
        }
        x += width + COLUMN_GAP;
    }
    (places, (x - COLUMN_GAP + MARGIN, TOP + total.max(HEIGHT) + MARGIN))
}

/// Puts a column in the order of the middles of its boxes' neighbours. In whole numbers, so that every machine gives
/// the same picture.
fn sort(columns: &mut [Vec<usize>], column: usize, neighbours: &BTreeMap<usize, Vec<usize>>) {
    // Places as shares of a column, so that short and long columns can be compared.
    let mut at: BTreeMap<usize, i64> = BTreeMap::new();
    for other in columns.iter() {
        let count = other.len().max(1) as i64;
        for (position, index) in other.iter().enumerate() {
            at.insert(*index, (2 * position as i64 + 1) * 1_000_000 / (2 * count));
        }
    }
    let middle = |index: &usize| -> i64 {
        let own = neighbours.get(index).map(Vec::as_slice).unwrap_or_default();
        let places: Vec<i64> = own.iter().filter_map(|other| at.get(other)).copied().collect();
        match places.len() as i64 {
            0 => at.get(index).copied().unwrap_or(0),
            count => places.iter().sum::<i64>() / count,
        }
    };
    columns[column].sort_by_key(middle);
}
