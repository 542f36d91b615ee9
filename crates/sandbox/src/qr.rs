//! The QR code of a virtual MFA device as a PNG.

use std::io::Write;

use flate2::{Compression, Crc, write::ZlibEncoder};
use qrcode::{Color, EcLevel, QrCode};

/// Pixels along one side of a module, and modules of quiet zone that the standard asks for.
const SCALE: usize = 4;
const QUIET: usize = 4;

/// A black and white PNG of a text as a QR code; empty where the text is too long for one.
pub(crate) fn png(text: &str) -> Vec<u8> {
    QrCode::with_error_correction_level(text, EcLevel::M)
        .map(|code| encode(&code))
        .unwrap_or_default()
}

fn encode(code: &QrCode) -> Vec<u8> {
    let side = (code.width() + 2 * QUIET) * SCALE;
    let is_dark = |pixel: usize, row: usize| {
        let module = |position: usize| {
            (position / SCALE)
                .checked_sub(QUIET)
                .filter(|module| *module < code.width())
        };
        matches!((module(pixel), module(row)), (Some(x), Some(y)) if code[(x, y)] == Color::Dark)
    };
    let mut rows = Vec::new();
    for row in 0..side {
        // Each row begins with its filter: none.
        rows.push(0);
        for start in (0..side).step_by(8) {
            // One bit a pixel, leftmost first; 1 is white.
            rows.push((0..8).fold(0, |byte, bit| {
                byte << 1 | u8::from(start + bit >= side || !is_dark(start + bit, row))
            }));
        }
    }
    let mut header = Vec::new();
    for length in [side, side] {
        header.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
    // One bit of grey; the only compression, filter and interlace methods there are.
    header.extend([1, 0, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, b"IHDR", &header);
    chunk(&mut png, b"IDAT", &compress(&rows));
    chunk(&mut png, b"IEND", &[]);
    png
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to a Vec cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(data);
    png.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    png.extend(kind);
    png.extend(data);
    png.extend(crc.sum().to_be_bytes());
}
