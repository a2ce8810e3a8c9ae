//! Every page of the demonstration that a visitor can reach by links, in all languages.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use heng_app::clock::{ManualClock, SeededEntropy};
use heng_app::simulation::{Frozen, build_demo};
use heng_app::{Clock, Heng, Place};
use heng_domain::rules::{read_calendar, read_criteria, read_rules};
use heng_domain::text::Lang;
use heng_domain::time::Instant;
use heng_web::{App, router};
use jiff::civil::date;
use tokio_stream::StreamExt;
use tower::ServiceExt;

const LANGUAGES: [(&str, &str); 3] = [("", "zh-Hans"), ("/hant", "zh-Hant"), ("/en", "en")];

/// Forms that no traditional text has and nearly every simplified page.
const SIMPLIFIED: &str = "这们为对应评审议员记录获奖届报质";

fn demonstration(folder: &std::path::Path) -> axum::Router {
    let rules = read_rules("zhumadian", include_str!("../../../data/programmes/zhumadian.toml")).unwrap();
    let criteria = read_criteria("criteria", include_str!("../../../data/criteria/gbt19580-2012.toml")).unwrap();
    let calendar = read_calendar("calendar", include_str!("../../../data/calendars/cn.toml")).unwrap();
    let today = date(2026, 3, 4);
    let clock = Arc::new(ManualClock::at(Instant::at(today, 10, 0, 480).unwrap()));
    let entropy = Arc::new(SeededEntropy::new(1));
    let place = Place::Folder(folder.to_path_buf());
    let heng = Heng::open(&place, Arc::clone(&clock) as Arc<dyn Clock>, entropy, &|_, _, _| {}).unwrap();
    let figures = include_str!("../../../data/demo/figures.json");
    build_demo(&heng, &clock, &Frozen { rules, criteria, calendar }, figures, today, &|_| {}).unwrap();
    router(App::new(Arc::new(heng), heng_web::Settings::default()).unwrap())
}

async fn get(router: &axum::Router, address: &str) -> Response {
    let request = Request::get(address).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().into()).unwrap()
}

fn is_page(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// The prefix of the language to which an address belongs.
fn prefix_of(address: &str) -> &str {
    let first = address.split(['?', '/']).nth(1).map_or(0, |part| part.len() + 1);
    let first = &address[..first];
    LANGUAGES.iter().map(|(prefix, _)| *prefix).find(|prefix| *prefix == first).unwrap_or_default()
}

/// Every page of a language that links lead to, by address.
async fn walk(router: &axum::Router, prefix: &str) -> BTreeMap<String, String> {
    let start = if prefix.is_empty() { "/" } else { prefix }.to_owned();
    let mut pages = BTreeMap::new();
    let mut seen = BTreeSet::from([start.clone()]);
    let mut open = vec![start];
    while let Some(address) = open.pop() {
        let response = get(router, &address).await;
        assert_eq!(response.status(), StatusCode::OK, "{address}");
        if !is_page(&response) {
            continue;
        }
        let page = text(response).await;
        for link in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let link = link.split('#').next().unwrap().replace("&amp;", "&");
            if link.starts_with('/') && prefix_of(&link) == prefix && seen.insert(link.clone()) {
                open.push(link);
            }
        }
        pages.insert(address, page);
    }
    pages
}

/// Sections of the catalogue, from its keys.
fn sections() -> BTreeSet<String> {
    let keys = heng_domain::messages::keys(Lang::Zh);
    keys.iter().filter_map(|key| key.split_once('.').map(|(section, _)| section.to_owned())).collect()
}

/// What a reader sees of a page: text outside of code, and labels.
fn seen(page: &str) -> String {
    let mut out = String::new();
    for (index, part) in page.split('<').enumerate() {
        let (tag, text) = if index == 0 { ("", part) } else { part.split_once('>').unwrap_or((part, "")) };
        for label in ["aria-label=\"", "title=\"", "alt=\"", "placeholder=\""] {
            out.extend(tag.split(label).skip(1).filter_map(|rest| rest.split('"').next()));
            out.push('\n');
        }
        if !tag.starts_with("code") && !tag.starts_with("script") && !tag.starts_with("textarea") {
            out.push_str(text);
            out.push('\n');
        }
    }
    out
}

/// Raw keys (`section.key`) and places that nothing was put into (`{place}`).
fn raw(seen: &str, sections: &BTreeSet<String>) -> Vec<String> {
    let in_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.' | '-');
    let mut out: Vec<String> = seen
        .split(|c: char| !(in_key(c) || c == '/'))
        .filter(|word| word.split_once('.').is_some_and(|(section, key)| sections.contains(section) && !key.is_empty()))
        .map(str::to_owned)
        .collect();
    for rest in seen.split('{').skip(1) {
        if let Some((place, _)) = rest.split_once('}').filter(|(place, _)| place.chars().all(in_key)) {
            out.push(format!("{{{place}}}"));
        }
    }
    out
}

/// Tags by kind without the language switch, to compare the languages of a page.
fn tags(page: &str) -> Vec<&str> {
    let (before, switch) = page.split_once("<nav class=\"languages\"").unwrap_or((page, ""));
    let after = switch.split_once("</nav>").map_or("", |(_, after)| after);
    let parts = before.split('<').skip(1).chain(after.split('<').skip(1));
    parts.map(|part| part.split([' ', '>']).next().unwrap()).collect()
}

#[tokio::test]
async fn no_page_shows_a_raw_message_and_traditional_pages_are_traditional() {
    let folder = tempfile::tempdir().unwrap();
    let router = demonstration(folder.path());
    let sections = sections();
    let mut walks = Vec::new();
    for (prefix, tag) in LANGUAGES {
        let pages = walk(&router, prefix).await;
        assert!(pages.len() > 20, "{tag}: only {} pages", pages.len());
        for (address, page) in &pages {
            let raw = raw(&seen(page), &sections);
            assert!(raw.is_empty(), "{address} shows {raw:?}");
            assert!(page.contains(&format!(" lang=\"{tag}\"")), "{address} is not {tag}");
        }
        walks.push(pages);
    }
    for (address, simplified) in &walks[0] {
        // Where somebody goes on after signing in is an address of the same language.
        let address = if address == "/" { "/hant".to_owned() } else { format!("/hant{address}") };
        let address = address.replace("next=%2F", "next=%2Fhant%2F");
        let traditional = walks[1].get(&address).unwrap_or_else(|| panic!("no link leads to {address}"));
        assert_eq!(tags(traditional), tags(simplified), "{address}");
        // Notices and papers quote the record's text, in its own characters.
        let left: String = seen(traditional).chars().filter(|c| SIMPLIFIED.contains(*c)).collect();
        let quotes = ["/notices/", "/papers/call/", "/papers/notice/"].iter().any(|room| address.contains(room));
        assert!(left.is_empty() || quotes, "{address} still has {left}");
    }
    // What a hall screen is sent later is in the language of its page.
    let halls = walks[1].values().filter_map(|page| page.split("data-live=\"").nth(1)?.split('"').next());
    let mut count = 0;
    for address in halls {
        let mut stream = get(&router, &address.replace("&amp;", "&")).await.into_body().into_data_stream();
        let first = String::from_utf8(stream.next().await.unwrap().unwrap().into()).unwrap();
        assert!(!first.chars().any(|c| SIMPLIFIED.contains(c)), "{address} sends {first}");
        count += 1;
    }
    assert!(count > 0, "no hall screen was reached");
    // A reader who chose traditional Chinese keeps it when a page is missing.
    let response = get(&router, "/hant/nowhere").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(text(response).await.contains("沒有這個頁面"));
    assert_eq!(get(&router, "/hant/").await.headers().get(header::LOCATION).unwrap(), "/hant");
}
