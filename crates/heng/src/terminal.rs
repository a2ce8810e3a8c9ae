//! What the terminal shows: language, progress, errors as sentences.

use heng_app::AppError;
use heng_domain::messages;
use heng_domain::text::Lang;
use heng_store::StoreError;
use heng_verify::Unreadable;
use indicatif::{ProgressBar, ProgressStyle};

/// The language asked for, else that of the environment, else Chinese.
pub(crate) fn language(asked: Option<Lang>) -> Lang {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let environment = variable("LC_ALL").or_else(|| variable("LC_MESSAGES")).or_else(|| variable("LANG"));
    asked.or_else(|| environment.and_then(|value| Lang::parse(&value))).unwrap_or_default()
}

/// A message of the section `cli`.
pub(crate) fn say(lang: Lang, key: &str, params: &[(&str, &str)]) -> String {
    messages::message(lang, "cli", key, params.iter().copied())
}

/// An error as a sentence; what people meet most often in the reader's language.
pub(crate) fn sentence(error: &anyhow::Error, lang: Lang) -> String {
    match error.downcast_ref::<AppError>() {
        Some(AppError::Refused(refusal)) => {
            format!("{} [{}]", messages::refusal(lang, refusal), refusal.code)
        }
        Some(AppError::Store(StoreError::Busy { what })) => say(lang, "busy", &[("what", what)]),
        _ => format!("{error:#}"),
    }
}

/// 3 for what is not a bundle, 1 for everything else.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if error.downcast_ref::<Unreadable>().is_some() { 3 } else { 1 }
}

/// A spinner with a text that changes; silent when the output is no terminal.
pub(crate) fn progress() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}
