//! QR codes.

use std::fmt::Write as _;

use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};

/// The empty margin that readers need, in modules.
const MARGIN: usize = 4;

/// A QR code with its title. A text too long for a code is written out instead, so that nothing
/// is lost.
#[must_use]
pub fn qr_svg(text: &str, title: &str) -> Markup {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else {
        return html! { p.qr-text { (title) ": " (text) } };
    };
    let size = code.width() + 2 * MARGIN;
    html! {
        svg.qr viewBox={ "0 0 " (size) " " (size) } role="img" shape-rendering="crispEdges" {
            title { (title) }
            desc { (text) }
            // Dark on light in both themes: many readers cannot see it the other way round.
            rect width=(size) height=(size) fill="#fff" {}
            path fill="#000" d=(dark_runs(&code)) {}
        }
    }
}

/// Every run of dark modules as one flat rectangle.
fn dark_runs(code: &QrCode) -> String {
    let width = code.width();
    let colors = code.to_colors();
    let mut path = String::new();
    for (y, line) in colors.chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = line[x..].iter().take_while(|color| **color == Color::Dark).count();
            if run > 0 {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + MARGIN, y + MARGIN);
            }
            x += run.max(1);
        }
    }
    path
}
