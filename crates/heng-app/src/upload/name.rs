//! Names of files: what is kept of the name that a browser sent.

use unicode_normalization::UnicodeNormalization;

use crate::upload::error::Fault;

/// Characters of a name.
const LIMIT: usize = 120;

/// Devices of Windows: a file of this name, with whatever extension, cannot be saved there.
const RESERVED: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];

/// The last part of a path, in normal form C. What Windows does not allow in a name becomes `_`.
///
/// # Errors
/// What is wrong with the name.
pub fn clean(raw: &str) -> Result<String, Fault> {
    let last = raw.rsplit(['/', '\\']).next().unwrap_or(raw);
    let name: String =
        last.nfc().map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c }).collect();
    if name.chars().any(is_hidden) {
        return Err(Fault::NameCharacters);
    }
    // Windows drops blanks and dots at the end, after which the extension would be another one.
    let name = name.trim().trim_end_matches(['.', ' ']).to_owned();
    let chars = name.chars().count();
    if chars > LIMIT {
        return Err(Fault::NameLong { chars, limit: LIMIT });
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.trim().is_empty() && !extension.is_empty() => {}
        _ => return Err(Fault::NameEmpty),
    }
    if is_device(name.split('.').next().unwrap_or_default().trim()) {
        return Err(Fault::NameReserved { name });
    }
    Ok(name)
}

/// The extension, in small letters.
pub(crate) fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default()
}

/// Control characters, ends of lines, and marks that turn the direction or have no width: with them a name reads
/// differently from what it is (`fdp.exe` for `exe.pdf`).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}'
            | '\u{e0000}'..='\u{e007f}')
}

fn is_device(stem: &str) -> bool {
    let stem = stem.to_uppercase();
    let numbered = |prefix: &str| {
        let rest = stem.strip_prefix(prefix).unwrap_or_default();
        rest.chars().count() == 1 && rest.contains(['1', '2', '3', '4', '5', '6', '7', '8', '9', '¹', '²', '³'])
    };
    RESERVED.contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned() {
        for (raw, name) in [
            ("证明.pdf", "证明.pdf"),
            ("C:\\Users\\li\\证明.PDF", "证明.PDF"),
            ("../../etc/passwd.txt", "passwd.txt"),
            ("  a b.txt  ", "a b.txt"),
            ("a.pdf. .", "a.pdf"),
            ("cafe\u{301}.pdf", "café.pdf"),
            ("a:b?.pdf", "a_b_.pdf"),
            ("🏆奖.png", "🏆奖.png"),
            ("２０２６.pdf", "２０２６.pdf"),
            ("console.txt", "console.txt"),
            ("com10.txt", "com10.txt"),
            (".a.txt", ".a.txt"),
        ] {
            assert_eq!(clean(raw).as_deref(), Ok(name), "{raw}");
        }
        assert_eq!(extension("a.b.PDF"), "pdf");
    }

    #[test]
    fn bad_names_are_refused() {
        for (raw, code) in [
            ("", "upload.name_empty"),
            ("   ", "upload.name_empty"),
            (".pdf", "upload.name_empty"),
            ("a.", "upload.name_empty"),
            ("none", "upload.name_empty"),
            ("dir/", "upload.name_empty"),
            (" .pdf", "upload.name_empty"),
            ("a\0.pdf", "upload.name_characters"),
            ("a\r\nb.pdf", "upload.name_characters"),
            ("\u{202e}fdp.exe", "upload.name_characters"),
            ("a\u{2066}b.pdf", "upload.name_characters"),
            ("a\u{200f}.pdf", "upload.name_characters"),
            ("a\u{200b}.pdf", "upload.name_characters"),
            ("CON.pdf", "upload.name_reserved"),
            ("nul.tar.pdf", "upload.name_reserved"),
            ("lpt1.pdf", "upload.name_reserved"),
            ("Com².pdf", "upload.name_reserved"),
            ("con .pdf", "upload.name_reserved"),
        ] {
            assert_eq!(clean(raw).unwrap_err().code(), code, "{raw:?}");
        }
        let long = format!("{}.pdf", "长".repeat(117));
        assert_eq!(clean(&long), Err(Fault::NameLong { chars: 121, limit: 120 }));
        assert!(clean(&long[3..]).is_ok());
    }
}
