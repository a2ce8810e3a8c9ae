//! The door of every route: what is too large, and who may not pass, is turned away before a handler runs.

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use heng_app::account::{Account, AccountError, Scope};
use heng_app::desk::proposal;
use heng_domain::text::Lang;

use crate::api::problem::Problem;
use crate::routes::Who;
use crate::view::{App, Me, View};
use crate::{account, work};

/// What a line of the table says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub who: Who,
    pub limit: usize,
    pub parks: bool,
    /// Whether people read it.
    pub page: bool,
}

/// The account behind a token.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub account: Account,
    /// Person or organisation, as the logs know them.
    pub subject: String,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    /// The door has put it there: a handler that asks for it behind a public door gets nobody.
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Caller, Problem> {
        let lang = language(&parts.headers);
        parts.extensions.get::<Caller>().cloned().ok_or_else(|| Problem::of_account(lang, &AccountError::TokenUnknown))
    }
}

/// The language that a program asks for; Chinese where it asks for none.
pub(crate) fn language(headers: &HeaderMap) -> Lang {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let weighed = wanted.split(',').filter_map(|part| {
        let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
        Some((Lang::parse(&tag.trim().to_ascii_lowercase())?, weight.trim().parse::<f32>().unwrap_or(0.0)))
    });
    // The first of the heaviest.
    let best = weighed.fold(None, |best: Option<(Lang, f32)>, next| match best {
        Some(best) if best.1 >= next.1 => Some(best),
        _ => Some(next),
    });
    best.filter(|(_, weight)| *weight > 0.0).map_or(Lang::Zh, |(lang, _)| lang)
}

pub(crate) async fn pass(State((app, rule)): State<(App, Rule)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let lang = language(&parts.headers);
    let json = matches!(rule.who, Who::Token | Who::TokenSeat) || crate::api::holds(&parts);
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > u64::try_from(rule.limit).unwrap_or(u64::MAX)) {
        if json {
            return Problem::too_large(lang, rule.limit).into();
        }
        return unread(&app, rule, &mut parts, StatusCode::PAYLOAD_TOO_LARGE).await;
    }
    let turned_away = match rule.who {
        Who::Public => None,
        Who::Demo => turn_away_outside_demo(&app, &mut parts).await,
        Who::SignedIn | Who::Inviter | Who::Seat => turn_away_person(&app, rule, &mut parts).await,
        Who::Token | Who::TokenSeat => turn_away_program(&app, rule, &mut parts, lang).await,
    };
    if let Some(response) = turned_away {
        return response;
    }
    let mut asked = rule.page.then(|| parts.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    match &mut asked {
        Some(asked) if is_bare(&response) => unread(&app, rule, asked, response.status()).await,
        _ => response,
    }
}

/// What a handler could not even read (no such number, a field that is missing, no form at all) comes back as a bare
/// English sentence; no page of ours is plain text.
fn is_bare(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    response.status().is_client_error() && kind.starts_with("text/plain")
}

/// The same in the reader's language, with what to do: a page, or JSON where a script asked.
async fn unread(app: &App, rule: Rule, asked: &mut Parts, status: StatusCode) -> Response {
    let Ok(view) = View::from_request_parts(asked, app).await;
    let (title, text) = match status {
        // The address itself does not read: there is nothing there.
        StatusCode::BAD_REQUEST => return view.missing(app),
        StatusCode::PAYLOAD_TOO_LARGE => {
            (view.t("too_large_title"), view.tp("too_large_text", &[("limit", &(rule.limit / 1024).to_string())]))
        }
        _ => (view.t("unread_title"), view.t("unread_text")),
    };
    let kind = asked.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with(crate::api::JSON) {
        return (status, axum::Json(serde_json::json!({ "error": text }))).into_response();
    }
    view.problem(app, status, &title, &text)
}

async fn turn_away_outside_demo(app: &App, parts: &mut Parts) -> Option<Response> {
    if app.demo().is_some() {
        return None;
    }
    let Ok(view) = View::from_request_parts(parts, app).await;
    Some(view.missing(app))
}

async fn turn_away_person(app: &App, rule: Rule, parts: &mut Parts) -> Option<Response> {
    let Ok(view) = View::from_request_parts(parts, app).await;
    let Some(me) = view.me.clone() else {
        let parked = rule.parks && parts.method != Method::GET;
        return (!parked).then(|| view.sign_in_first());
    };
    let turned_away = match rule.who {
        Who::Inviter if !invites(app, &me) => {
            Some(view.problem(app, StatusCode::FORBIDDEN, &view.t("not_yours_title"), &view.t("not_yours_text")))
        }
        Who::Seat if !seated(app, parts, &me.subject).await => Some(view.missing(app)),
        _ => None,
    };
    // The handler asks for the same view: the session is looked up once.
    parts.extensions.insert(view);
    turned_away
}

fn invites(app: &App, me: &Me) -> bool {
    account::is_officer(app, me) || me.session.account.admin
}

/// Whether `subject` has a seat in the log that the address names.
async fn seated(app: &App, parts: &mut Parts, subject: &str) -> bool {
    let Ok(params) = RawPathParams::from_request_parts(parts, app).await else { return false };
    let of = |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    let (Some(first), Some(second)) = (of("first"), of("second")) else { return false };
    let Some(log) = work::log_of(app, first, second) else { return false };
    proposal::handle(app.heng(), &log, subject).ok().flatten().is_some()
}

async fn turn_away_program(app: &App, rule: Rule, parts: &mut Parts, lang: Lang) -> Option<Response> {
    let scope = if matches!(parts.method, Method::GET | Method::HEAD) { Scope::Read } else { Scope::Write };
    let token = match bearer(&parts.headers) {
        Some(token) => token.to_owned(),
        None => return Some(Problem::no_token(lang).into()),
    };
    let found = {
        let app = app.clone();
        tokio::task::spawn_blocking(move || app.accounts().token_account(&token, scope)).await
    };
    let account = match found {
        Ok(Ok(account)) => account,
        Ok(Err(error)) => return Some(Problem::of_account(lang, &error).into()),
        Err(_) => return Some(Problem::internal(lang).into()),
    };
    let subject = account.subject.handle().to_owned();
    if rule.who == Who::TokenSeat && !seated(app, parts, &subject).await {
        return Some(Problem::missing(lang).into());
    }
    parts.extensions.insert(Caller { account, subject });
    None
}

/// The token of `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_language_is_answered() {
        let cases = [
            ("", Lang::Zh),
            ("en", Lang::En),
            ("EN-gb, zh;q=0.9", Lang::En),
            ("fr, en;q=0.5, zh;q=0.8", Lang::Zh),
            ("zh-Hant", Lang::Zh),
            ("en;q=0", Lang::Zh),
            ("de", Lang::Zh),
        ];
        for (wanted, lang) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, wanted.parse().unwrap_or(header::HeaderValue::from_static("")));
            assert_eq!(language(&headers), lang, "{wanted}");
        }
    }
}
