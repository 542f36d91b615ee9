//! QR codes, on a screen and as PNG.

use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroizing;

/// Light modules around the code, which scanners need.
const QUIET: usize = 4;
/// Pixels along one side of a module.
const SCALE: usize = 6;

/// What an authenticator app reads: IAM's own label, so that a device looks the same wherever it was made.
pub(crate) fn uri(device: &str, account: &str, seed: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("otpauth://totp/{device}@{account}?secret={seed}"))
}

/// A code that fits: the least redundancy, so that it is small on a screen.
pub(crate) fn code(text: &str) -> Option<QrCode> {
    QrCode::with_error_correction_level(text, EcLevel::L).ok()
}

fn is_dark(code: &QrCode, x: usize, y: usize) -> bool {
    let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < code.width());
    matches!((inside(x), inside(y)), (Some(x), Some(y)) if code[(x, y)] == Color::Dark)
}

/// Two modules to a character. With colours, black on white whatever the terminal's own are; without, the light
/// modules are those that are drawn, as most terminals are dark.
pub(crate) fn on_screen(code: &QrCode, color: bool) -> Zeroizing<String> {
    let side = code.width() + 2 * QUIET;
    let mut text = Zeroizing::new(String::with_capacity(side * side * 2));
    for y in (0..side).step_by(2) {
        if color {
            text.push_str("\u{1b}[30;107m");
        }
        for x in 0..side {
            let drawn = |y: usize| (y < side) && (is_dark(code, x, y) == color);
            text.push(match (drawn(y), drawn(y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        if color {
            text.push_str("\u{1b}[0m");
        }
        text.push('\n');
    }
    text
}

/// A black and white PNG.
pub(crate) fn png(code: &QrCode) -> Result<Zeroizing<Vec<u8>>, png::EncodingError> {
    let side = (code.width() + 2 * QUIET) * SCALE;
    let length = u32::try_from(side).unwrap_or(u32::MAX);
    let mut image = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let mut encoder = png::Encoder::new(&mut *image, length, length);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    let pixels: Zeroizing<Vec<u8>> = Zeroizing::new(
        (0..side * side)
            .map(|at| is_dark(code, at % side / SCALE, at / side / SCALE))
            .map(|dark| if dark { 0 } else { u8::MAX })
            .collect(),
    );
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(image)
}
