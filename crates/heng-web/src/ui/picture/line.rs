//! Words in a picture: they cannot flow, so they are set here, for the narrowest screen.

use maud::{Markup, html};

/// How many columns fit beside each other on a phone in large text; a Han character takes two.
const PHONE: usize = 40;
/// From one line of words to the next, in pixels.
const LEADING: i64 = 22;
/// From the top of the words to their first base line.
const BASE: i64 = 18;
/// From the last base line to what the words head.
const BELOW: i64 = 10;

/// A label at the left and a value at the right, from `top` downwards: the words, and where they end.
/// The value goes under the label when both would not fit on one line.
pub(super) fn heading(top: i64, label: &str, value: &Markup, value_width: usize) -> (Markup, i64) {
    let lines = wrap(label);
    let last = lines.last().map_or(0, |line| width(line));
    let mut end = top + BASE + LEADING * (i64::try_from(lines.len()).unwrap_or(1) - 1).max(0);
    let words = html! {
        @for (base, line) in (0..).map(|index| top + BASE + LEADING * index).zip(&lines) {
            text.label x="0" y=(base) { (line) }
        }
        @if last + value_width + 2 > PHONE { @let () = { end += LEADING; }; }
        text.value x="100%" y=(end) { (value) }
    };
    (words, end + BELOW)
}

/// Columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|character| if character >= '\u{2e80}' { 2 } else { 1 }).sum()
}

/// Items put on as few lines as hold them, in their order; used where items must not be broken.
pub(super) fn lines_of<T>(items: impl IntoIterator<Item = T>, width_of: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut lines: Vec<Vec<T>> = Vec::new();
    let mut used = PHONE;
    for item in items {
        let needed = width_of(&item);
        match lines.last_mut() {
            Some(line) if used + needed <= PHONE => {
                line.push(item);
                used += needed;
            }
            _ => {
                lines.push(vec![item]);
                used = needed;
            }
        }
    }
    lines
}

/// A text cut into lines: between words, and between any two Han characters.
fn wrap(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut joins = false;
    for character in text.chars() {
        let han = character >= '\u{2e80}';
        match pieces.last_mut() {
            Some(piece) if joins && !han => piece.push(character),
            _ => pieces.push(character.to_string()),
        }
        joins = !han && character != ' ';
    }
    lines_of(pieces, |piece| width(piece)).into_iter().map(|line| line.concat().trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::{heading, width, wrap};

    #[test]
    fn han_characters_count_twice() {
        assert_eq!(width("4.7 结果"), 8);
    }

    #[test]
    fn long_labels_are_cut_between_words() {
        assert_eq!(wrap("结果"), ["结果"]);
        assert_eq!(
            wrap("Measurement, analysis and improvement of the processes"),
            ["Measurement, analysis and improvement", "of the processes"]
        );
        assert_eq!(wrap(&"衡".repeat(21)), ["衡".repeat(20), "衡".to_owned()]);
        assert!(wrap("").is_empty());
    }

    #[test]
    fn a_value_that_does_not_fit_goes_below() {
        let value = html! { "284 / 400" };
        let (_, short) = heading(0, "Results", &value, 9);
        let (_, long) = heading(0, "Measurement, analysis and improvement", &value, 9);
        assert_eq!(long - short, 22);
    }
}
