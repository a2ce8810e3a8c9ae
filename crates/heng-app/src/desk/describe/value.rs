//! What a value of a record is called.

use heng_domain::edition::Edition;
use heng_domain::messages;
use heng_domain::text::{Lang, Text};
use heng_domain::time::Instant;
use heng_log::signature::PublicKey;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::super::committee::names;
use super::super::field::{same, words, yuan_text};
use super::{Known, label, machine};

/// Where a value stands.
pub(super) struct At<'a> {
    /// Kind of the record.
    pub kind: &'a str,
    /// The key that it stands under, or the kind.
    pub parent: &'a str,
    /// Its own key.
    pub key: &'a str,
    /// The whole that it is a part of.
    pub body: &'a Value,
}

/// Marks of organisations that have a name.
const MARKS: [&str; 1] = ["srdi"];

/// Uses of a file that have a name; the others are items of the criteria.
const USES: [&str; 4] = ["licence", "form", "paper", "other"];

/// The public event of a draw that was only simulated.
const SIMULATED: &str = "simulated-lottery";

/// A text of both languages, made from one language at a time.
fn both(of: impl Fn(Lang) -> String) -> Text {
    Text { zh: of(Lang::Zh), en: of(Lang::En) }
}

pub(super) fn joined(parts: impl IntoIterator<Item = Text>, zh: &str, en: &str) -> Text {
    let parts: Vec<Text> = parts.into_iter().collect();
    let of = |text: fn(&Text) -> &str, separator: &str| parts.iter().map(text).collect::<Vec<_>>().join(separator);
    Text { zh: of(|t| t.zh.as_str(), zh), en: of(|t| t.en.as_str(), en) }
}

fn list(parts: impl IntoIterator<Item = Text>) -> Text {
    joined(parts, "、", ", ")
}

fn lines(parts: impl IntoIterator<Item = Text>) -> Text {
    joined(parts, "\n", "\n")
}

/// Number and name of an item of the criteria.
pub(super) fn item(known: &Known<'_>, item: &str) -> Text {
    match known.edition.and_then(|e| e.criteria.as_ref()).and_then(|tree| tree.item(item)) {
        Some(found) => both(|lang| format!("{item} {}", found.name.get(lang))),
        None => same(item),
    }
}

/// A handle with the name behind it, where the log knows one.
pub fn name<'a>(known: &Known<'a>, id: &str) -> Text {
    let with = |name: &Text| both(|lang| format!("{} · {id}", name.get(lang)));
    if let Some(office) = known.office {
        if let Some((_, organisation)) = office.organisations.get(id) {
            return with(&organisation.name);
        }
        if let Some(person) = office.people.get(id).and_then(|person| person.name.as_ref()) {
            return with(&same(person));
        }
        if let Some(programme) = office.programmes.get(id) {
            return programme.name.clone();
        }
        if let Some(honour) = office.honours.get(id) {
            return same(&honour.body.certificate);
        }
        if let Some((_, edition)) = office.editions.get(id) {
            let programme = name(known, &edition.programme);
            return both(|lang| format!("{} {}", programme.get(lang), edition.edition));
        }
        let mut newest = office.rules.values().filter_map(|adopted| adopted.last());
        return newest.find_map(|(_, body)| body.rules.tier(id)).map_or_else(|| same(id), |tier| tier.name.clone());
    }
    let Some(edition) = known.edition else { return same(id) };
    in_edition(edition, id).unwrap_or_else(|| {
        let named = edition.applicant(id).or_else(|| edition.organisations.get(id)).map(|o| o.name.clone());
        let seat = || edition.seats.get(id).and_then(|seat| seat.name.as_ref()).map(same);
        named.or_else(seat).as_ref().map_or_else(|| same(id), with)
    })
}

/// What has a name that says everything, so that its handle can be left out.
fn in_edition(edition: &Edition, id: &str) -> Option<Text> {
    let rules = edition.rules();
    if let Some(motion) = edition.motion(id) {
        return Some(motion.body.text.clone());
    }
    let staged = |stage: &str| rules.stage(stage).map(|stage| both(|lang| format!("{} · {id}", stage.name.get(lang))));
    if let Some(draw) = edition.draws.get(id) {
        return staged(&draw.stage);
    }
    if let Some(session) = edition.sessions.get(id) {
        return staged(&session.stage);
    }
    if let Some((_, notice)) = edition.notices.iter().find(|(notice, _)| notice == id) {
        return Some(notice.body.title.clone());
    }
    let found = rules.stage(id).map(|s| &s.name).or_else(|| rules.condition(id).map(|c| &c.name));
    let found = found.or_else(|| rules.tier(id).map(|t| &t.name));
    let found = found.or_else(|| rules.department(id).map(|d| &d.name));
    let found = found.or_else(|| rules.classes.iter().find(|c| c.id == id).map(|c| &c.name));
    found.or_else(|| rules.recusal.iter().find(|g| g.id == id).map(|g| &g.name)).cloned()
}

/// A value in words.
pub(super) fn shown(known: &Known<'_>, at: &At<'_>, value: &Value) -> Text {
    match value {
        Value::Null => same(""),
        Value::Bool(yes) => words("choice", if *yes { "yes" } else { "no" }, &[]),
        Value::Number(number) => numbered(known, at, number),
        Value::String(text) => worded(known, at, text),
        Value::Array(list) if list.is_empty() => words("body_as", "nothing", &[]),
        Value::Array(list) => listed(known, at, list),
        Value::Object(map) if map.is_empty() => words("body_as", "nothing", &[]),
        Value::Object(map) => whole(known, at, map),
    }
}

fn yuan(fen: i64) -> Text {
    words("choice", "yuan", &[("amount", &same(yuan_text(fen)))])
}

fn numbered(known: &Known<'_>, at: &At<'_>, number: &serde_json::Number) -> Text {
    match at.key {
        "fen" => yuan(number.as_i64().unwrap_or(0)),
        key if key.ends_with("_fen") => yuan(number.as_i64().unwrap_or(0)),
        "percent" => same(format!("{number}%")),
        "seq" | "issue" => record(known, number.as_u64().unwrap_or(0)),
        _ => same(number),
    }
}

/// A record that another points to: by what it holds, where the state knows.
fn record(known: &Known<'_>, seq: u64) -> Text {
    let number = same(seq);
    let about = known.edition.and_then(|edition| whose(edition, seq));
    match about {
        Some(about) => words("body_as", "record_of", &[("seq", &number), ("about", &about)]),
        None => words("body_as", "record", &[("seq", &number)]),
    }
}

/// Whose personal data a record keeps encrypted.
pub fn whose(edition: &Edition, seq: u64) -> Option<Text> {
    let of = |key: &str, name: &Text| Some(words("body_as", key, &[("name", name)]));
    if let Some((id, seat)) = edition.seats.iter().find(|(_, seat)| seat.seq == seq) {
        let key = if seat.group.is_some() { "data_expert" } else { "data_person" };
        return of(key, &same(id));
    }
    if let Some((id, _)) = edition.applications.iter().find(|(_, a)| a.seq == seq) {
        return of("data_application", &name(&edition.into(), id));
    }
    let (id, objection) = edition.objections.iter().find(|(_, objection)| objection.seq == seq)?;
    let about = name(&edition.into(), &objection.body.application);
    Some(words("body_as", "data_objection", &[("objection", &same(id)), ("name", &about)]))
}

fn worded(known: &Known<'_>, at: &At<'_>, text: &str) -> Text {
    if text.is_empty() {
        return same("");
    }
    if let Some(word) = coded(known, at, text) {
        return word;
    }
    if let Ok(instant) = Instant::parse(text) {
        return both(|lang| messages::moment(lang, instant.local(known.offset())));
    }
    if let Some(day) = day(text) {
        return both(|lang| messages::date(lang, day));
    }
    name(known, text)
}

/// A calendar day in exactly the written form.
fn day(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|day| day.to_string() == text)
}

/// The word for a value that is one of a few.
fn coded(known: &Known<'_>, at: &At<'_>, text: &str) -> Option<Text> {
    let of = |section: &str, key: &str| {
        let found = words(section, key, &[]);
        (found.zh != format!("{section}.{key}")).then_some(found)
    };
    match at.key {
        "choice" | "vote" => of("vote", text),
        "answer" => of("choice", &format!("opinion_{text}")),
        "how" => of("choice", &format!("how_{text}")),
        "by" if at.kind == "objection.received" => of("choice", &format!("by_{text}")),
        "effect" => of("choice", if text == "remove" { "remove_yes" } else { "remove_no" }),
        "role" | "roles" => of("role", text),
        "level" => of("level", text),
        "state" => of("web", &format!("honour_{text}")),
        "group" | "stratum" => of("group", text),
        "id" if at.parent == "strata" || at.parent == "result" => of("group", text),
        "groups" => MARKS.contains(&text).then(|| of("group", text)).flatten(),
        "reason" if at.parent == "excluded" => of("web", &format!("excluded_{text}")),
        "item" | "discussed" => Some(item(known, text)),
        "about" if USES.contains(&text) => of("web", &format!("file_{text}")),
        "about" => Some(item(known, text)),
        "secret" => secret(known, text),
        "key" => text.parse::<PublicKey>().ok().map(|key| same(key.fingerprint())),
        "purpose" => of("body_as", if text == "order" { "draw_order" } else { "draw_experts" }),
        "account" => Some(account(known, text)),
        "unit" => Some(unit(text)),
        "source" if text == SIMULATED => Some(words("body_as", "simulated", &[])),
        _ => None,
    }
}

/// What an account of the ledger holds.
fn account(known: &Known<'_>, account: &str) -> Text {
    let (what, which_one) = account.split_once(':').unwrap_or((account, ""));
    let which = same(which_one);
    match what {
        "budget" => words("body_as", "account_budget", &[("which", &which)]),
        "payable" => words("body_as", "account_payable", &[("which", &name(known, which_one))]),
        "appropriation" => words("body_as", "account_appropriation", &[]),
        "committed" => words("body_as", "account_committed", &[]),
        "prize-expense" => words("body_as", "account_prize", &[]),
        _ => same(account),
    }
}

/// "{value} 家" without its value.
fn unit(unit: &str) -> Text {
    let found = words("web", &format!("unit_{unit}"), &[("value", &same(""))]);
    both(|lang| found.get(lang).trim().to_owned())
}

/// A part of an application that is marked as a business secret.
fn secret(known: &Known<'_>, mark: &str) -> Option<Text> {
    let (what, which) = mark.split_once(':').unwrap_or((mark, ""));
    let of = |key: &str| words("secret", key, &[]);
    let with_item = |key: &str| {
        let (item, part) = (item(known, which), of(key));
        Some(both(|lang| format!("{}（{}）", item.get(lang), part.get(lang))))
    };
    match what {
        "profile" => Some(of("profile")),
        "item" => with_item("item"),
        "results" => with_item("results"),
        "figures" => Some(of(which.trim_end_matches("_fen"))),
        "file" => Some(words("body_as", "secret_file", &[])),
        _ => None,
    }
}

fn listed(known: &Known<'_>, at: &At<'_>, items: &[Value]) -> Text {
    if at.key == "evidence" {
        return evidence(known, at, items);
    }
    let said: Vec<Text> = items.iter().map(|item| shown(known, at, item)).collect();
    if items.iter().any(Value::is_object) { lines(said) } else { list(said) }
}

/// Evidence by the names of the application's files; the rest is counted.
fn evidence(known: &Known<'_>, at: &At<'_>, hashes: &[Value]) -> Text {
    let application = at.body.get("application").and_then(Value::as_str);
    let application = application.and_then(|id| known.edition?.applications.get(id));
    let files = application.map(|a| a.body.attachments.as_slice()).unwrap_or_default();
    let hashes = hashes.iter().filter_map(Value::as_str);
    let (found, others): (Vec<_>, Vec<_>) =
        hashes.map(|hash| files.iter().find(|file| file.sha256.to_string() == hash)).partition(Option::is_some);
    let mut said: Vec<Text> = found.into_iter().flatten().map(|file| same(&file.name)).collect();
    if !others.is_empty() {
        said.push(words("body_as", "kept_apart", &[("count", &same(others.len()))]));
    }
    list(said)
}

fn whole(known: &Known<'_>, at: &At<'_>, map: &Map<String, Value>) -> Text {
    if let (Some(zh), Some(en)) = (map.get("zh").and_then(Value::as_str), map.get("en").and_then(Value::as_str)) {
        return Text::new(zh, en);
    }
    let value = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let inner = |key: &str| shown(known, &At { parent: at.key, key, body: at.body, kind: at.kind }, value(key));
    let said = |word: &str, keys: &[&str]| {
        let texts: Vec<Text> = keys.iter().map(|key| inner(key)).collect();
        let places: Vec<(&str, &Text)> = keys.iter().copied().zip(&texts).collect();
        words("body_as", word, &places)
    };
    match at.key {
        "counts" => counted(known, map),
        "votes" => votes(known, value("option"), map),
        "members" | "officers" => name_of(known, value("person"), value("name")),
        "approved" => said("approved", &["application", "tier"]),
        "returned" => said("with_reason", &["application", "reason"]),
        "conflicts" => {
            let (application, reason) = (inner("application"), inner("ground"));
            words("body_as", "with_reason", &[("application", &application), ("reason", &reason)])
        }
        "excluded" => {
            let (line, reason) = (inner("line"), inner("reason"));
            words("body_as", "with_reason", &[("application", &line), ("reason", &reason)])
        }
        "attachments" => said("file", &["name", "about"]),
        "tiers" => tier(known, map),
        "strata" => said("stratum", &["id", "from", "to", "take"]),
        "result" => drawn(known, at, map),
        "sources" => said("source_of", &["source", "period"]),
        "values" => said("source_value", &["source", "period", "value"]),
        "lines" => said("entry_line", &["account", "fen"]),
        "internal_notice" | "notice" => said("window", &["from", "until"]),
        "paper" => inner("reason"),
        "self_evaluation" => lines(map.iter().map(|(id, own)| {
            let chars = own.get("chars").and_then(Value::as_u64).unwrap_or(0);
            let percent = own.get("percent").and_then(Value::as_u64).unwrap_or(0);
            let (item, percent, chars) = (item(known, id), same(percent), same(chars));
            words("body_as", "self_evaluation", &[("item", &item), ("percent", &percent), ("chars", &chars)])
        })),
        "criteria" => inner("name"),
        "rules" => {
            let document = value("document");
            let (title, number) = (document.get("title"), document.get("number").and_then(Value::as_str));
            let title = title.map_or_else(|| inner("name"), |title| shown(known, at, title));
            words("body_as", "document", &[("title", &title), ("number", &same(number.unwrap_or_default()))])
        }
        "calendar" => {
            let years = value("years").as_object().map(|years| years.keys().map(same).collect::<Vec<_>>());
            words("body_as", "calendar", &[("years", &list(years.unwrap_or_default()))])
        }
        _ => parts(known, at, map),
    }
}

/// Any other whole: its parts one after the other, the year first.
fn parts(known: &Known<'_>, at: &At<'_>, map: &Map<String, Value>) -> Text {
    let mut entries: Vec<_> = map.iter().filter(|(key, value)| !machine(at.kind, key, value)).collect();
    entries.sort_by_key(|(key, _)| *key != "year");
    let said = entries.into_iter().filter_map(|(key, value)| {
        let said = shown(known, &At { parent: at.key, key, body: at.body, kind: at.kind }, value);
        let label = label(at.key, key);
        if key == "year" {
            return Some(words("body_as", "year", &[("year", &said)]));
        }
        (!said.zh.is_empty()).then(|| both(|lang| format!("{} {}", label.get(lang), said.get(lang))))
    });
    joined(said, "，", ", ")
}

fn name_of(known: &Known<'_>, person: &Value, stated: &Value) -> Text {
    match stated.as_str() {
        Some(stated) => same(stated),
        None => name(known, person.as_str().unwrap_or_default()),
    }
}

fn counted(known: &Known<'_>, map: &Map<String, Value>) -> Text {
    let count = map.get("count").cloned().unwrap_or_default();
    let passed = count.get("passed").and_then(Value::as_bool).unwrap_or(false);
    let result = words("minutes", if passed { "passed" } else { "not_passed" }, &[]);
    let option = map.get("option").and_then(Value::as_str).unwrap_or_default();
    let option = option_name(known, option);
    let votes = |key: &str| same(count.get(key).and_then(Value::as_u64).unwrap_or(0));
    let (yes, no, abstain) = (votes("yes"), votes("no"), votes("abstain"));
    let places = [("name", &option), ("yes", &yes), ("no", &no), ("abstain", &abstain), ("result", &result)];
    words("body_as", "counted", &places)
}

fn votes(known: &Known<'_>, option: &Value, map: &Map<String, Value>) -> Text {
    let option = option_name(known, option.as_str().unwrap_or_default());
    let votes = |key: &str| same(map.get(key).and_then(Value::as_u64).unwrap_or(0));
    let (yes, no, abstain) = (votes("yes"), votes("no"), votes("abstain"));
    words("body_as", "votes", &[("name", &option), ("yes", &yes), ("no", &no), ("abstain", &abstain)])
}

fn option_name(known: &Known<'_>, option: &str) -> Text {
    match known.edition.filter(|edition| edition.applicant(option).is_some()) {
        Some(edition) => names(edition, &[option.to_owned()]),
        None => same(option),
    }
}

fn tier(known: &Known<'_>, map: &Map<String, Value>) -> Text {
    let names = |key: &str| {
        let ids = map.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let named: Vec<Text> = ids.map(|id| name(known, id)).collect();
        if named.is_empty() { words("body_as", "nothing", &[]) } else { list(named) }
    };
    let tier = name(known, map.get("tier").and_then(Value::as_str).unwrap_or_default());
    let empty = same(map.get("empty").and_then(Value::as_u64).unwrap_or(0));
    let applications = names("applications");
    let places = [("tier", &tier), ("names", &applications), ("empty", &empty)];
    if map.get("off_quota").is_none() {
        return words("body_as", "tier", &places);
    }
    let off = names("off_quota");
    words("body_as", "tier_off_quota", &[&places[..], &[("off_quota", &off)]].concat())
}

/// Who was drawn, not at which places of the list they stood.
fn drawn(known: &Known<'_>, at: &At<'_>, map: &Map<String, Value>) -> Text {
    let draw = at.body.get("draw").and_then(Value::as_str);
    let draw = draw.and_then(|id| known.edition?.draws.get(id));
    let people = |key: &str| {
        let positions = map.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_u64);
        let named = positions.map(|position| match draw.and_then(|draw| draw.line(position)) {
            Some(line) => name(known, line),
            None => words("body_as", "place", &[("place", &same(position))]),
        });
        let named: Vec<Text> = named.collect();
        if named.is_empty() { words("body_as", "nothing", &[]) } else { list(named) }
    };
    let id = map.get("id").and_then(Value::as_str).unwrap_or_default();
    let group = worded(known, &At { parent: "result", key: "id", body: at.body, kind: at.kind }, id);
    let (taken, reserve) = (people("taken"), people("reserve"));
    words("body_as", "drawn", &[("group", &group), ("taken", &taken), ("reserve", &reserve)])
}
