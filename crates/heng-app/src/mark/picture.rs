//! The mark across a picture.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits, RgbaImage};

use super::{Unmarked, letters};

/// Longest side in pixels.
const SIDE: u32 = 20_000;
/// Most memory that the picture may take while it is read.
const MEMORY: u64 = 256 << 20;
/// Most pixels: each takes four bytes while the mark is drawn, whatever it took in the file.
const PIXELS: u64 = 64 << 20;
/// Quality of a JPEG that is written again.
const QUALITY: u8 = 90;

pub(super) fn mark(bytes: &[u8], format: ImageFormat, line: &str) -> Result<Vec<u8>, Unmarked> {
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height, limits.max_alloc) = (Some(SIDE), Some(SIDE), Some(MEMORY));
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(reason)?;
    let (width, height) = decoder.dimensions();
    if decoder.total_bytes() > MEMORY || u64::from(width) * u64::from(height) > PIXELS {
        return Err(Unmarked::Large);
    }
    // A camera writes which way is up beside the picture, and a scanner what its colours mean.
    let orientation = decoder.orientation().map_err(reason)?;
    let profile = decoder.icc_profile().map_err(reason)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(reason)?;
    picture.apply_orientation(orientation);
    let grey = !picture.color().has_color();
    let mut picture = picture.into_rgba8();
    draw(&mut picture, line);
    let mut out = Vec::new();
    let written = match format {
        ImageFormat::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(&mut out, QUALITY);
            keep_profile(&mut encoder, profile.filter(|_| !grey));
            encoder.encode_image(&DynamicImage::ImageRgba8(picture).into_rgb8())
        }
        _ => {
            let mut encoder = PngEncoder::new(&mut out);
            keep_profile(&mut encoder, profile.filter(|_| !grey));
            DynamicImage::ImageRgba8(picture).write_with_encoder(encoder)
        }
    };
    written.map_err(reason)?;
    Ok(out)
}

/// A profile that a format cannot carry is left out: the colours shift a little, the content stays.
fn keep_profile(encoder: &mut impl ImageEncoder, profile: Option<Vec<u8>>) {
    if let Some(profile) = profile {
        drop(encoder.set_icc_profile(profile));
    }
}

fn reason(error: image::ImageError) -> Unmarked {
    match error {
        image::ImageError::Limits(_) => Unmarked::Large,
        _ => Unmarked::Damaged,
    }
}

/// Writes the line in rows across the picture: dark with a light edge, so that it shows on any ground.
fn draw(picture: &mut RgbaImage, line: &str) {
    let (width, height) = picture.dimensions();
    let columns = u32::try_from(line.chars().count()).unwrap_or(u32::MAX).saturating_mul(letters::WIDE + 1).max(1);
    // About two thirds of the width, in whole dots.
    let dot = (width * 2 / 3 / columns).max(1);
    let (row, step) = (letters::HIGH * dot, (height / 5).max(letters::HIGH * dot * 2));
    for (number, top) in (step / 3..height).step_by(usize::try_from(step).unwrap_or(1)).enumerate() {
        let left = if number % 2 == 0 { width / 24 } else { width * 7 / 24 };
        for (x, y) in letters::dots(line) {
            let at = |edge: u32| (left + x * dot + edge, top + y * dot + edge);
            fill(picture, at((dot / 3).max(1)), dot, [255, 255, 255]);
            fill(picture, at(0), dot, [40, 40, 40]);
        }
        if top + row > height {
            break;
        }
    }
}

/// Mixes a square of a colour into the picture.
fn fill(picture: &mut RgbaImage, (left, top): (u32, u32), side: u32, colour: [u8; 3]) {
    let (width, height) = picture.dimensions();
    for y in top..(top + side).min(height) {
        for x in left..(left + side).min(width) {
            let pixel = picture.get_pixel_mut(x, y);
            for (channel, wanted) in pixel.0.iter_mut().zip(colour) {
                let mixed = (u16::from(*channel) * 3 + u16::from(wanted) * 2) / 5;
                *channel = u8::try_from(mixed).unwrap_or(u8::MAX);
            }
            // A mark on what is transparent would not show.
            pixel.0[3] = pixel.0[3].max(160);
        }
    }
}
