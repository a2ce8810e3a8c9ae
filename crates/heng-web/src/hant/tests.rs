//! What is converted, and above all what is not.

use proptest::prelude::*;

use super::{Names, attributes, end_of_tag, fragment, to_traditional};

fn page(inner: &str) -> String {
    format!("<!DOCTYPE html><html lang=\"zh-Hans\"><body>{inner}</body></html>")
}

fn traditional(inner: &str) -> String {
    let out = to_traditional(&page(inner), &Names::default());
    let inner = out.strip_prefix("<!DOCTYPE html><html lang=\"zh-Hant\"><body>").unwrap();
    inner.strip_suffix("</body></html>").unwrap().to_owned()
}

#[test]
fn what_is_read_is_converted() {
    assert_eq!(traditional("<p>评审委员会</p>"), "<p>評審委員會</p>");
    assert_eq!(traditional("<a title=\"获奖\" href=\"/获奖\">获奖</a>"), "<a title=\"獲獎\" href=\"/获奖\">獲獎</a>");
    assert_eq!(traditional("<img alt=\"证书\"><i>证</i>"), "<img alt=\"證書\"><i>證</i>");
    assert_eq!(
        traditional("<input aria-label=\"单位\" placeholder=\"单位\" value=\"单位\">"),
        "<input aria-label=\"單位\" placeholder=\"單位\" value=\"单位\">"
    );
    assert_eq!(traditional("<option value=\"实名\">实名</option>"), "<option value=\"实名\">實名</option>");
    assert_eq!(traditional("<p title='a > 书'>书</p>"), "<p title='a > 書'>書</p>");
}

#[test]
fn what_is_sent_or_meant_for_machines_stays() {
    for kept in [
        "<textarea name=\"a\">\n质量</textarea>",
        "<textarea><b>质量</textarea>",
        "<code>质量 <b title=\"质量\">质量</b></code>",
        "<script>if (a < 1) { s = \"质量\"; }</script>",
        "<option>质量</option>",
        "<p translate=\"no\" title=\"质量\" lang=\"zh-Hans\">质量 <b>质量</b></p>",
        "<p lang=\"en\">质量 <b>质量</b></p>",
        "<p data-x=\"质量\" class=\"质量\" id=\"质量\"></p>",
        "<!-- 质量 <b> -->",
    ] {
        assert_eq!(traditional(kept), kept);
    }
    // After the element, conversion goes on; an element that was never closed ends with its parent.
    assert_eq!(traditional("<code>书</code><br>书"), "<code>书</code><br>書");
    assert_eq!(traditional("<div><code>书</div>书"), "<div><code>书</div>書");
    assert_eq!(traditional("<p lang=\"en\">Mr 书<br></p>书"), "<p lang=\"en\">Mr 书<br></p>書");
}

#[test]
fn a_page_that_is_not_simplified_stays() {
    let english = "<html lang=\"en\"><p>获奖</p><a lang=\"zh-Hans\">简体</a></html>";
    let expected = "<html lang=\"en\"><p>获奖</p><a lang=\"zh-Hant\">簡體</a></html>";
    assert_eq!(to_traditional(english, &Names::default()), expected);
    assert_eq!(fragment("<p>获奖</p>", &Names::default()), "<p>獲獎</p>");
}

/// All tags of a page with those attributes taken out that may change.
fn skeleton(html: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (tag, after) = rest[at..].split_at(end_of_tag(&rest[at..]));
        let mut tag = tag.to_owned();
        let places = attributes(&tag).into_iter().map(|(name, at)| (name.to_owned(), at)).collect::<Vec<_>>();
        for (name, at) in places.into_iter().rev() {
            if matches!(name.as_str(), "lang" | "title" | "aria-label" | "alt" | "placeholder") {
                tag.replace_range(at, "");
            }
        }
        out.push(tag);
        rest = after;
    }
    out
}

fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "质量",
        "奖",
        "公布",
        "准许",
        "里程碑",
        "皇后",
        "评审",
        "《",
        "》",
        "〔",
        "信息",
        " ",
        "a=b",
        "&lt;",
        "&quot;",
        "12",
        "発",
        "臺",
        "“",
        "乾隆",
        "😀",
        "书",
    ]);
    prop::collection::vec(word, 0..6).prop_map(|words| words.concat())
}

fn element() -> impl Strategy<Value = String> {
    let leaf = words();
    leaf.prop_recursive(4, 24, 4, |inner| {
        let names = prop::sample::select(vec!["p", "div", "code", "option", "textarea", "a", "title", "svg"]);
        let attributes = prop::collection::vec(
            (
                prop::sample::select(vec![
                    "title",
                    "value",
                    "href",
                    "class",
                    "aria-label",
                    "data-x",
                    "lang",
                    "translate",
                ]),
                prop_oneof![words(), Just("zh-Hans".to_owned()), Just("en".to_owned()), Just("no".to_owned())],
            ),
            0..3,
        );
        (names, attributes, prop::collection::vec(inner, 0..3)).prop_map(|(name, attributes, inner)| {
            let attributes: String = attributes.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect();
            format!("<{name}{attributes} hidden>{}<br></{name}>", inner.concat())
        })
    })
}

proptest! {
    #[test]
    fn structure_stays_and_twice_is_once(html in element(), words in words()) {
        let html = page(&html);
        let names = Names::new([words.as_str()]);
        let once = to_traditional(&html, &names);
        prop_assert_eq!(skeleton(&once), skeleton(&html));
        prop_assert_eq!(to_traditional(&once, &names), once);
    }

    #[test]
    fn anything_at_all_is_survived(html in "[<>/=\"'! a-z质量书《〔-]{0,60}") {
        let _ = to_traditional(&page(&html), &Names::default());
        let _ = fragment(&html, &Names::new([html.as_str()]));
    }

    #[test]
    fn ascii_stays(html in "[ -~\n]{0,200}") {
        prop_assert_eq!(fragment(&html, &Names::default()), html.replace("lang=\"zh-Hans\"", "lang=\"zh-Hant\""));
    }
}
