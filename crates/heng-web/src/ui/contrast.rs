//! The colours of the style sheet, checked: every text is legible on every ground, in every theme.

use std::collections::HashMap;

const SHEET: &str = include_str!("../../assets/app.css");

/// The inks in which words are set; all of them may stand on the page and on its shaded parts.
const INKS: [&str; 6] = ["ink", "muted", "cinnabar", "pine", "ochre", "indigo"];

/// Pairs the other way round: buttons, the skip link, selected text.
const REVERSED: [&str; 2] = ["ink", "cinnabar"];

type Theme = HashMap<String, [u8; 3]>;

/// The colours that a rule sets, beginning at the first `marker` of the sheet.
fn theme(marker: &str) -> Theme {
    let rule = SHEET.split_once(marker).unwrap().1;
    let rule = rule.split_once('{').unwrap().1.split_once('}').unwrap().0;
    let mut colours = Theme::new();
    for line in rule.lines() {
        let Some((name, value)) = line.trim().strip_prefix("--").and_then(|rest| rest.split_once(": #")) else {
            continue;
        };
        let value = value.trim_end_matches(';');
        let mut rgb = [0; 3];
        hex::decode_to_slice(value, &mut rgb).unwrap();
        colours.insert(name.to_owned(), rgb);
    }
    colours
}

fn luminance(rgb: [u8; 3]) -> f64 {
    let linear = rgb.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn check(name: &str, theme: &Theme, least: f64) {
    for ground in ["paper", "shade"] {
        for ink in INKS {
            let ratio = contrast(theme[ink], theme[ground]);
            assert!(ratio >= least, "{name}: {ink} on {ground} is {ratio:.2}");
        }
    }
    for ground in REVERSED {
        let ratio = contrast(theme["paper"], theme[ground]);
        assert!(ratio >= least, "{name}: paper on {ground} is {ratio:.2}");
    }
}

#[test]
fn contrast_is_measured_as_the_guideline_says() {
    assert!((contrast([0, 0, 0], [255, 255, 255]) - 21.0).abs() < 0.01);
    assert!((contrast([0x77, 0x77, 0x77], [255, 255, 255]) - 4.48).abs() < 0.01);
}

#[test]
fn every_text_is_legible_by_day() {
    check("light", &theme(":root "), 4.5);
}

#[test]
fn every_text_is_legible_by_night() {
    check("dark", &theme("prefers-color-scheme: dark) {\n"), 4.5);
}

#[test]
fn every_text_is_legible_in_print() {
    check("print", &theme("@media print {\n"), 4.5);
}

#[test]
fn the_hall_has_contrast_to_spare() {
    let hall = theme("html.hall ");
    assert!(contrast(hall["ink"], hall["paper"]) > 18.0);
    assert!(contrast(hall["muted"], hall["paper"]) > 10.0);
    check("hall", &hall, 7.0);
}

#[test]
fn the_colours_are_those_agreed() {
    let light = theme(":root ");
    let dark = theme("prefers-color-scheme: dark) {\n");
    assert_eq!(light["paper"], [0xFB, 0xFA, 0xF6]);
    assert_eq!(light["cinnabar"], [0xA3, 0x30, 0x1C]);
    assert_eq!(dark["paper"], [0x16, 0x15, 0x13]);
    assert_eq!(dark["cinnabar"], [0xE8, 0x83, 0x6F]);
    assert_eq!(light.len(), dark.len());
}

#[test]
fn nothing_is_loaded_from_elsewhere_and_no_colour_stands_outside_the_themes() {
    assert!(!SHEET.contains("http") && !SHEET.contains("@import"));
    for line in SHEET.lines().filter(|line| !line.trim().starts_with("--") && !line.trim().starts_with("/*")) {
        let colour = line.split('#').nth(1).filter(|rest| rest.chars().take(3).all(|c| c.is_ascii_hexdigit()));
        assert!(colour.is_none() || line.contains('{') && !line.contains(": #"), "{line}");
    }
}
