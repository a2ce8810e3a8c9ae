//! What can be told to people, and which values each text has.
//!
//! The texts stand in `data/messages/mail.*.toml`. They hold no password, no score and no name of an expert, and there is
//! no place to put one: whoever wants to know more follows the link and signs in.

use heng_domain::messages::plain;
use serde::{Deserialize, Serialize};

use crate::account::Language;
use crate::hant::{self, Names};
use crate::outbox::error::OutboxError;

/// Characters of a value.
const VALUE_LIMIT: usize = 300;

/// Names each text, its section in the message files, and its places.
macro_rules! templates {
    ($($(#[$doc:meta])* $name:ident = $section:literal, $places:expr;)*) => {
        /// A text that can be sent.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Template {
            $($(#[$doc])* $name),*
        }

        impl Template {
            /// All of them.
            pub const ALL: &[Template] = &[$(Template::$name),*];

            /// Section of the message files.
            pub const fn section(self) -> &'static str {
                match self { $(Template::$name => $section),* }
            }

            /// Values that must be given.
            pub const fn places(self) -> &'static [&'static str] {
                match self { $(Template::$name => &$places),* }
            }
        }
    };
}

templates! {
    /// An invitation to sign in for the first time; the link works once.
    Invitation = "mail_invitation", ["office", "link", "due"];
    /// An application has arrived.
    ApplicationReceived = "mail_application_received", ["office", "edition", "record", "link"];
    /// Something happened to an application; the page says what.
    ApplicationNews = "mail_application_news", ["office", "edition", "link"];
    /// A task is due, or was.
    TaskDue = "mail_task_due", ["office", "edition", "due", "link"];
    /// An expert is invited to a panel.
    PanelInvitation = "mail_panel_invitation", ["office", "edition", "due", "link"];
    /// A site visit is planned; the day is its first.
    VisitPlanned = "mail_visit_planned", ["office", "edition", "due", "link"];
    /// A member is invited to a session of the committee.
    SessionInvitation = "mail_session_invitation", ["office", "edition", "time", "link"];
    /// A notice is public.
    NoticePublished = "mail_notice_published", ["office", "edition", "due", "link"];
    /// An objection has arrived.
    ObjectionReceived = "mail_objection_received", ["office", "edition", "record", "link"];
    /// An objection is accepted for examination.
    ObjectionAccepted = "mail_objection_accepted", ["office", "edition", "record", "due", "link"];
    /// An objection is answered.
    ObjectionAnswered = "mail_objection_answered", ["office", "edition", "record", "link"];
    /// The feedback on a result can be read.
    FeedbackReady = "mail_feedback_ready", ["office", "edition", "link"];
    /// A prize is paid.
    PrizePaid = "mail_prize_paid", ["office", "edition", "link"];
}

/// A message in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Subject of a mail.
    pub subject: String,
    /// Text of a mail.
    pub body: String,
    /// Text message.
    pub sms: String,
}

impl Template {
    /// Refuses values that the text does not have, that are missing, or that could break out of their place.
    pub(super) fn check(self, params: &[(String, String)], base_url: &str) -> Result<(), OutboxError> {
        let wrong = |place: &str| OutboxError::Place { place: place.to_owned() };
        for place in self.places() {
            if params.iter().filter(|(name, _)| name == place).count() != 1 {
                return Err(wrong(place));
            }
        }
        for (name, value) in params {
            let fits = self.places().contains(&name.as_str())
                && !value.trim().is_empty()
                && value.chars().count() <= VALUE_LIMIT
                && !value
                    .chars()
                    .any(|c| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
            if !fits {
                return Err(wrong(name));
            }
            if name == "link" && (!value.starts_with(base_url) || value.contains(char::is_whitespace)) {
                return Err(OutboxError::Link);
            }
        }
        Ok(())
    }

    /// The message in a language. In traditional Chinese our own words are exchanged too; of values only the characters.
    pub(super) fn words(self, language: Language, params: &[(String, String)]) -> Words {
        let plain = |key: &str| plain(language.lang(), self.section(), key);
        let text = |key: &str| match language {
            Language::ZhHans | Language::En => fill(&plain(key), params),
            Language::ZhHant => {
                let values = params.iter().map(|(name, value)| (name.clone(), hant::characters(value)));
                fill(&hant::text(&plain(key), &Names::default()), &values.collect::<Vec<_>>())
            }
        };
        Words { subject: text("subject"), body: text("body"), sms: text("sms") }
    }
}

/// Fills the places in one pass: a value that looks like a place stays as it is.
fn fill(text: &str, params: &[(String, String)]) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let value = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = params.iter().find(|(known, _)| known == name)?;
            Some((value, after))
        });
        match value {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use std::collections::BTreeSet;

    use heng_domain::text::Lang;

    use super::*;

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn every_text_is_there_in_both_languages_with_the_same_places() {
        /// What a message may say of its matter. A score, a password or the name of an expert has no place.
        const ALLOWED: [&str; 6] = ["office", "edition", "record", "due", "time", "link"];
        for template in Template::ALL {
            let asked: BTreeSet<&str> = template.places().iter().copied().collect();
            assert!(asked.iter().all(|place| ALLOWED.contains(place)), "{template:?}");
            for lang in [Lang::Zh, Lang::En] {
                let text = |key: &str| plain(lang, template.section(), key);
                let (subject, body, sms) = (text("subject"), text("body"), text("sms"));
                assert_eq!(places(&body), asked, "{template:?} {lang:?}");
                for short in [&subject, &sms] {
                    assert!(!short.starts_with("mail_"), "{template:?} {lang:?}");
                    assert!(!short.contains('\n') && places(short).is_subset(&asked), "{short}");
                }
                assert!(sms.contains("{link}") && body.contains("{link}"), "{template:?}");
                assert!(body.ends_with("{office}\n"), "{template:?} {lang:?} is signed");
                for other in ["subject", "sms"] {
                    let in_zh = plain(Lang::Zh, template.section(), other);
                    assert_eq!(
                        places(&in_zh),
                        places(&plain(Lang::En, template.section(), other)),
                        "{template:?} {other}"
                    );
                }
            }
        }
    }

    #[test]
    fn traditional_chinese_exchanges_our_words_and_keeps_names_and_links() {
        let params = [
            ("office", "云川质量信息办公室"),
            ("edition", "质量奖"),
            ("due", "2026年5月21日"),
            ("link", "https://heng.example/hant/work/质量"),
        ];
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let (hans, hant) =
            (Template::TaskDue.words(Language::ZhHans, &params), Template::TaskDue.words(Language::ZhHant, &params));
        assert!(hans.body.contains("云川质量信息办公室") && hans.subject.contains("质量奖"));
        assert!(hant.body.contains("雲川質量信息辦公室") && hant.subject.contains("質量獎"), "{}", hant.body);
        assert!(hant.body.starts_with("您好：") && hant.body.contains("請登入"), "{}", hant.body);
    }

    #[test]
    fn a_value_that_looks_like_a_place_stays_as_it_is() {
        let params = [("a", "{b}"), ("b", "two")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(fill("{a} {b} {c} { {a", &params), "{b} two {c} { {a");
    }
}
