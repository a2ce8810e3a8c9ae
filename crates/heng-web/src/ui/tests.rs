//! What every component promises: no inline style or script, words beside shapes, pictures with a
//! name, a description and a table.

use maud::{Markup, html};

use super::*;

fn text(markup: Markup) -> String {
    markup.into_string()
}

fn picture_words() -> PictureWords<'static> {
    PictureWords {
        title: "Points".into(),
        desc: "Six of seven are above the mean.".into(),
        table_summary: "As a table".into(),
        heads: vec!["Category".into(), "Scored".into(), "Points".into(), "Mean".into()],
    }
}

fn marks() -> Vec<StageMark<'static>> {
    [StageState::Done, StageState::Now, StageState::Next, StageState::Skipped, StageState::Stopped]
        .into_iter()
        .map(|state| StageMark {
            label: "Ballot".into(),
            state,
            word: format!("{state:?}").into(),
            note: "12 May".into(),
            href: (state == StageState::Done).then(|| "/stage".into()),
        })
        .collect()
}

fn squares() -> Vec<VoteSquare<'static>> {
    [Choice::Yes, Choice::No, Choice::Abstain, Choice::Absent, Choice::Recused, Choice::Voted, Choice::Waiting]
        .into_iter()
        .map(|choice| VoteSquare { name: "赵明远".into(), choice, word: format!("{choice:?}").into() })
        .collect()
}

fn pictures() -> Vec<String> {
    let bars = [Bar { label: "Applied".into(), value: 21, shown: "21".into(), href: Some("/rows".into()) }];
    let categories =
        [ProfileBar { label: "4.1".into(), scored_hundredths: 8650, points_max: 110, mean_hundredths: Some(7820) }];
    let parts = vec![MoneyPart { label: "Award".into(), fen: 300, shown: "3".into() }];
    let years = [MoneyYear { label: "2026".into(), parts, total: "3".into() }];
    vec![
        text(funnel_svg(&picture_words(), &bars)),
        text(profile_svg(&picture_words(), "mean", &categories)),
        text(money_svg(&picture_words(), &years)),
    ]
}

fn fields() -> Vec<String> {
    let options = [Choose::new("a", "A"), Choose { hint: Some("means B".into()), ..Choose::new("b", "B") }];
    let kinds = [
        FieldKind::Line { input_type: "date", value: "2026-05-12".into(), autocomplete: Some("bday") },
        FieldKind::Area { value: "\nfirst line".into(), rows: 3 },
        FieldKind::Select { options: &options, chosen: "b".into() },
        FieldKind::Radio { options: &options, chosen: "b".into() },
        FieldKind::Checks { options: &options, chosen: &["a".into(), "b".into()] },
        FieldKind::Checkbox { value: "1".into(), checked: true },
        FieldKind::File { accept: "application/pdf".into(), several: false },
    ];
    kinds
        .into_iter()
        .map(|kind| text(field(&Field::of("q", "Question", kind).hint("Like this").error(Some("Wrong".into())))))
        .collect()
}

fn everything() -> Vec<String> {
    let action = Action::Post { label: "Send".into(), action: "/send".into(), hidden: vec![("t".into(), "x".into())] };
    let step = NextStep {
        label: "Next step".into(),
        text: "You confirm.".into(),
        due: Some(("by 12 May".into(), Tone::Due)),
        action: Some(action),
        reason: None,
    };
    let proof = Proof { root: "3f9a77c2".into(), check: Link::new("Check", "/check"), ..Proof::default() };
    let nav = [NavLink { link: Link::new("Awards", "/"), current: true, lang: None }];
    let row = Row::link("/a", vec![html! { "A" }, html! { "1" }]);
    let columns = [Column::text("Firm"), Column::measured("Score", "points")];
    let mut all = vec![
        text(layout(Page {
            lang: "en",
            title: "Awards".into(),
            office_name: "Office".into(),
            nav: &nav,
            lang_switch: &nav,
            spine: Some(stage_line("Stages", "Stage 2 of 5", &marks())),
            main: next_step(&step),
            proof: Some(proof_line(&proof)),
            live_script: Some("app.css"),
            ..Page::default()
        })),
        text(table("Firms", &columns, &[row], &html! {})),
        text(votes_grid("Votes", &squares())),
        text(hall_layout(&HallPage {
            lang: "en",
            body: html! {
                (hall_result(&HallResult::default()))
                (hall_check(&HallCheck { url: "https://heng.example/c".into(), ..HallCheck::default() }))
            },
            ..HallPage::default()
        })),
        text(notice_paper(&NoticePaper {
            title: "Notice".into(),
            seal: Some("Seal".into()),
            ..NoticePaper::default()
        })),
        text(refusal("The notice is not over.", "art. 21", "HENG-NOTICE-0207")),
        text(title_block("Title", Some("2026"))),
        text(result_sentence("Passed", "22 × 3 = 66 ≥ 56")),
        text(tiles("Counties", &[Tile { name: "青石县".into(), ..Tile::default() }])),
        text(qr_svg("https://heng.example/c", "Scan to check")),
        text(error_summary("Look again", &[("q".into(), "Wrong".into())])),
    ];
    all.extend(pictures());
    all.extend(fields());
    all
}

#[test]
fn nothing_is_styled_or_scripted_inline() {
    for html in everything() {
        assert!(!html.contains(" style="), "{html}");
        assert!(!html.contains("<style") && !html.contains("javascript:"), "{html}");
        assert!(!html.contains(" onclick=") && !html.contains(" onload="), "{html}");
        for script in html.split("<script").skip(1) {
            assert!(script.starts_with(" src=") && script.contains("></script>"), "{script}");
        }
    }
}

#[test]
fn every_picture_has_a_name_a_description_and_a_table() {
    for html in pictures() {
        assert!(html.contains(r#"role="img"><title>Points</title><desc>Six of seven"#), "{html}");
        assert!(html.contains("<details class=\"data\"><summary>As a table</summary><table"), "{html}");
    }
    assert!(text(qr_svg("x", "Scan")).contains("<title>Scan</title><desc>x</desc>"));
}

#[test]
fn every_drawing_is_named_or_hidden() {
    for html in everything() {
        for svg in html.split("<svg").skip(1) {
            let tag = svg.split_once('>').unwrap().0;
            assert!(tag.contains("role=\"img\"") || tag.contains("aria-hidden=\"true\""), "{tag}");
        }
    }
}

#[test]
fn every_state_is_a_word_too() {
    let line = text(stage_line("Stages", "Stage 2 of 5", &marks()));
    for mark in marks() {
        assert!(line.contains(mark.word.as_ref()));
    }
    assert_eq!(line.matches("aria-current=\"step\"").count(), 2);
    let grid = text(votes_grid("Votes", &squares()));
    for square in squares() {
        assert!(grid.contains(square.word.as_ref()));
    }
}

#[test]
fn a_page_has_one_primary_button() {
    let page = everything().remove(0);
    assert_eq!(page.matches("button primary").count(), 1);
    assert!(page.contains("<a class=\"skip\" href=\"#main\">"));
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
}

#[test]
fn fields_point_to_their_hint_and_their_message() {
    for html in fields() {
        assert!(html.contains("aria-describedby=\"q-hint q-error\""), "{html}");
        assert!(
            html.contains("id=\"q-hint\"") && html.contains("id=\"q-error\"") && html.contains("id=\"q\""),
            "{html}"
        );
    }
}

#[test]
fn what_was_typed_stays() {
    let html = fields();
    assert!(html[0].contains("value=\"2026-05-12\""));
    assert!(html[1].contains("\n\nfirst line</textarea>"));
    assert!(html[2].contains("<option value=\"b\" selected>"));
    assert!(html[3].contains("value=\"b\" checked"));
    assert_eq!(html[4].matches(" checked").count(), 2);
    assert!(html[5].contains(" checked"));
}

#[test]
fn texts_are_escaped() {
    let html = text(sentence("<script>alert(1)</script>"));
    assert!(!html.contains("<script>"));
    let html = text(field(&Field::line("q", "Q", "\"><img src=x>")));
    assert!(!html.contains("<img"));
}

#[test]
fn a_table_without_rows_says_what_would_fill_it() {
    let html = text(table("Firms", &[Column::text("Firm")], &[], &empty_state("No firm yet.", None)));
    assert!(html.contains("No firm yet.") && !html.contains("<table"));
}

#[test]
fn a_code_too_long_for_a_picture_is_written_out() {
    let long = "x".repeat(5000);
    assert!(text(qr_svg(&long, "Scan")).contains(&long));
}
