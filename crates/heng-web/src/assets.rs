//! Style sheets, fonts and the mark, carried inside the binary.
//!
//! Style sheets and scripts are named after their content, so a browser may keep them for ever and
//! still gets the new one after an update. Fonts keep stable paths because `fonts.css` names them;
//! there the query (`?v=…`) changes with the content, and the path alone finds the file.

use std::collections::HashMap;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// One file as it goes to the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The content.
    pub bytes: &'static [u8],
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `ETag`, quotes included.
    pub etag: &'static str,
}

/// The value of `Cache-Control` for everything that [`find`] returns.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// The folder under which assets are served.
const ROOT: &str = "/assets/";

struct Source {
    name: &'static str,
    bytes: &'static [u8],
}

macro_rules! sources {
    ($($name:literal)*) => {
        &[$(Source { name: $name, bytes: include_bytes!(concat!("../assets/", $name)) }),*]
    };
}

/// Every slice of one face; `fonts-src/README.md` says what a slice holds.
macro_rules! face {
    ($face:literal) => {
        face!($face: "00" "01" "02" "03" "04" "05" "06" "07" "08" "09" "10" "11" "12" "13" "14" "15" "16" "17" "18"
            "19" "20" "21" "22" "23" "24" "25" "26" "27" "28" "29" "30" "31" "32" "33" "34" "35" "36" "37" "38" "39"
            "40" "41" "42" "43" "44" "45" "46" "47" "latin" "sym" "west")
    };
    ($face:literal: $($slice:literal)*) => {
        &[$(Source {
            name: concat!("fonts/", $face, "-", $slice, ".woff2"),
            bytes: include_bytes!(concat!("../assets/fonts/", $face, "-", $slice, ".woff2")),
        }),*]
    };
}

/// The fonts, face by face.
const FACES: [&[Source]; 4] = [face!("sans-400"), face!("sans-600"), face!("serif-400"), face!("serif-600")];

/// Every other file that is served.
const SOURCES: &[Source] = sources! {
    "app.css"
    "fonts.css"
    "form.js"
    "hall.js"
    "mark.svg"
    "passkey.js"
    "session.js"
    "sign.js"
    "upload.js"
    "fonts/OFL.txt"
};

/// All that is served; a test compares it with the folder.
fn sources() -> impl Iterator<Item = &'static Source> {
    SOURCES.iter().chain(FACES.into_iter().flatten())
}

struct Table {
    by_path: HashMap<String, Asset>,
    by_name: HashMap<&'static str, &'static str>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { by_path: HashMap::new(), by_name: HashMap::new() };
    for source in sources() {
        let hash = hex::encode(Sha256::digest(source.bytes));
        let hash = &hash[..16];
        let asset =
            Asset { bytes: source.bytes, content_type: content_type(source.name), etag: keep(format!("\"{hash}\"")) };
        let path = public_name(source.name, &hash[..8]);
        table.by_name.insert(source.name, keep(format!("{ROOT}{path}")));
        table.by_path.insert(path, asset);
    }
    table
});

/// The table lives as long as the process and is built once, so its few strings may too.
fn keep(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn public_name(name: &str, hash: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !name.contains('/') => format!("{stem}.{hash}.{ending}"),
        _ => name.to_owned(),
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "text/plain; charset=utf-8",
    }
}

/// The file at a path below `/assets/` (`app.1a2b3c4d.css`, `fonts/sans-400-00.woff2`); the whole
/// path with its leading `/assets/` is understood too.
#[must_use]
pub fn find(path: &str) -> Option<Asset> {
    let path = path.strip_prefix(ROOT).unwrap_or(path);
    TABLE.by_path.get(path).copied()
}

/// Where a file is served: `href("app.css")` is `/assets/app.1a2b3c4d.css`.
///
/// A name that is not in the table is a slip of the programmer; the page then names a file that
/// answers 404, which the tests of the pages catch.
#[must_use]
pub fn href(name: &str) -> &'static str {
    TABLE.by_name.get(name).copied().unwrap_or("/assets/unknown")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may stop at the first surprise
mod tests {
    use super::*;

    fn folder() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")
    }

    #[test]
    fn the_table_names_every_file_of_the_folder() {
        let mut on_disk = Vec::new();
        for entry in folder().read_dir().unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                for inner in entry.path().read_dir().unwrap().map(Result::unwrap) {
                    on_disk.push(format!("{name}/{}", inner.file_name().into_string().unwrap()));
                }
            } else {
                on_disk.push(name);
            }
        }
        let mut listed: Vec<_> = sources().map(|source| source.name.to_owned()).collect();
        on_disk.sort();
        listed.sort();
        assert_eq!(on_disk, listed);
    }

    #[test]
    fn a_name_leads_to_its_file() {
        for source in sources() {
            let asset = find(href(source.name)).unwrap();
            assert_eq!(asset.bytes, source.bytes);
        }
        assert_eq!(find("nothing.css"), None);
        assert_eq!(find("../Cargo.toml"), None);
    }

    #[test]
    fn style_sheets_are_named_after_their_content() {
        let path = href("app.css");
        let asset = find(path).unwrap();
        assert!(path.starts_with("/assets/app.") && path.ends_with(".css"));
        assert!(path.contains(&asset.etag[1..9]));
        assert_eq!(asset.content_type, "text/css; charset=utf-8");
    }

    #[test]
    fn every_font_that_the_style_sheet_names_is_served_and_current() {
        let sheet = std::str::from_utf8(find(href("fonts.css")).unwrap().bytes).unwrap();
        let mut seen = 0;
        for part in sheet.split("url(").skip(1) {
            let (path, stamp) = part.split(')').next().unwrap().split_once("?v=").unwrap();
            let asset = find(path).unwrap();
            assert!(asset.etag[1..].starts_with(stamp), "{path} changed; write fonts.css anew");
            assert_eq!(asset.content_type, "font/woff2");
            seen += 1;
        }
        assert!(seen > 40);
    }

    #[test]
    fn fonts_stay_small() {
        let total: usize = sources().filter(|s| s.name.ends_with("woff2")).map(|s| s.bytes.len()).sum();
        assert!(total < 6 * 1024 * 1024, "{total} bytes");
    }
}
