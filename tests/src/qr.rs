//! QR codes as a camera would see them: on a screen, or in a PNG.

use std::io::Cursor;

use regex_lite::Regex;

/// Pixels along one side of a module, so that the reader has something to look at.
const SCALE: usize = 4;

/// What the code on a screen says, which is drawn in half blocks, dark on light where colours were set and light on
/// dark where not.
///
/// # Panics
///
/// When there is no code that can be read.
pub fn on_screen(screen: &str) -> String {
    let colours = Regex::new("\u{1b}\\[[0-9;]*m").expect("the pattern is valid");
    let is_coloured = screen.contains("\u{1b}[30;107m");
    let plain = colours.replace_all(screen, "");
    let rows: Vec<Vec<char>> = plain
        .lines()
        .map(|line| line.trim_end_matches('\r').chars().collect::<Vec<_>>())
        .filter(|line| line.len() >= 20 && line.iter().all(|c| " \u{2580}\u{2584}\u{2588}".contains(*c)))
        .collect();
    let width = rows.iter().map(Vec::len).max().unwrap_or_default();
    assert!(width > 0, "there is no QR code on the screen:\n{screen}");
    let drawn = |x: usize, y: usize| {
        let character = rows.get(y / 2).and_then(|row| row.get(x)).copied().unwrap_or(' ');
        match character {
            '\u{2588}' => true,
            '\u{2580}' => y.is_multiple_of(2),
            '\u{2584}' => !y.is_multiple_of(2),
            _ => false,
        }
    };
    let is_dark = |x: usize, y: usize| drawn(x / SCALE, y / SCALE) == is_coloured;
    decode(width * SCALE, rows.len() * 2 * SCALE, is_dark)
}

/// What the code in a PNG says.
///
/// # Panics
///
/// When it is no PNG, or there is no code that can be read.
pub fn in_png(png: &[u8]) -> String {
    let mut reader = png::Decoder::new(Cursor::new(png))
        .read_info()
        .expect("a PNG begins as one");
    let mut pixels = vec![0; reader.output_buffer_size().expect("the picture is small")];
    let info = reader.next_frame(&mut pixels).expect("the picture is whole");
    assert_eq!(info.color_type, png::ColorType::Grayscale);
    let (width, height) = (info.width as usize, info.height as usize);
    decode(width, height, |x, y| pixels[y * info.line_size + x] < 128)
}

fn decode(width: usize, height: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| if is_dark(x, y) { 0 } else { 255 });
    let grids = image.detect_grids();
    let grid = grids.first().expect("there is a QR code");
    grid.decode().expect("the QR code can be read").1
}
