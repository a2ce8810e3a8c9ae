//! Long lists by pieces. A cursor names the last item that was shown, so that what is added or goes away meanwhile
//! neither repeats nor hides the others.

use axum::extract::OriginalUri;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use heng_domain::text::Lang;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Answer;
use super::problem::Problem;

/// How much of a list, and from where.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
    /// Most items of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Cursor of the next page; `null` at the end.
    pub next: Option<String>,
}

/// What a cursor says: which list, the last item shown, and its place, should that item be gone.
#[derive(Serialize, Deserialize)]
struct Cursor(String, String, usize);

const DEFAULT: u32 = 50;
const MOST: u32 = 200;

fn read(cursor: &str) -> Option<Cursor> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

/// The page of `items` that `paging` asks for. `list` is the name of the list with its order and filters: the cursor of
/// another list is refused. `id` names an item.
pub(crate) fn page<T>(
    lang: Lang,
    list: &str,
    paging: &Paging,
    items: Vec<T>,
    id: impl Fn(&T) -> String,
) -> Result<Page<T>, Problem> {
    let limit = paging.limit.unwrap_or(DEFAULT);
    if !(1..=MOST).contains(&limit) {
        let most = MOST.to_string();
        return Err(Problem::new(lang, StatusCode::BAD_REQUEST, "request.limit", "limit", &[("most", &most)]));
    }
    let from = match &paging.cursor {
        None => 0,
        Some(cursor) => {
            let known = read(cursor).filter(|Cursor(of, ..)| of == list);
            let Some(Cursor(_, last, place)) = known else {
                return Err(Problem::new(lang, StatusCode::BAD_REQUEST, "request.cursor", "cursor", &[]));
            };
            items.iter().position(|item| id(item) == last).map_or(place, |position| position + 1)
        }
    };
    let end = from.saturating_add(usize::try_from(limit).unwrap_or(usize::MAX));
    let more = end < items.len();
    let items: Vec<T> = items.into_iter().skip(from).take(end - from).collect();
    let next = items.last().filter(|_| more).and_then(|last| {
        let bytes = serde_json::to_vec(&Cursor(list.to_owned(), id(last), end)).ok()?;
        Some(URL_SAFE_NO_PAD.encode(bytes))
    });
    Ok(Page { items, next })
}

/// Answers a page, with the address of the next one in `Link`.
pub(crate) fn answer<T: Serialize>(lang: Lang, headers: &HeaderMap, uri: &OriginalUri, page: &Page<T>) -> Answer {
    let mut response = super::fresh(lang, headers, page)?;
    if let Some(next) = &page.next {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(uri.0.query().unwrap_or_default()).unwrap_or_default();
        let kept = pairs.into_iter().filter(|(name, _)| name != "cursor");
        let pairs: Vec<_> = kept.chain(std::iter::once(("cursor".to_owned(), next.clone()))).collect();
        let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
        if let Ok(link) = HeaderValue::from_str(&format!("<{}?{query}>; rel=\"next\"", uri.0.path())) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    Ok(response)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ask(items: &[u32], limit: u32, cursor: Option<String>) -> Result<Page<u32>, u16> {
        let paging = Paging { cursor, limit: Some(limit) };
        page(Lang::En, "numbers", &paging, items.to_vec(), u32::to_string).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let items: Vec<u32> = (0..7).collect();
        let mut seen: Vec<u32> = Vec::new();
        let mut cursor = None;
        loop {
            let page = ask(&items, 3, cursor).unwrap();
            seen.extend(&page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, items);
        assert!(ask(&[], 3, None).unwrap().next.is_none());
        assert!(ask(&items, 7, None).unwrap().next.is_none());
    }

    #[test]
    fn what_comes_and_goes_meanwhile_shifts_nothing() {
        let cursor = ask(&[1, 2, 3, 4, 5], 2, None).unwrap().next;
        assert_eq!(ask(&[0, 1, 2, 3, 4, 5], 2, cursor.clone()).unwrap().items, [3, 4]);
        assert_eq!(ask(&[2, 3, 4, 5], 2, cursor.clone()).unwrap().items, [3, 4]);
        // The item itself is gone: its place counts.
        assert_eq!(ask(&[1, 3, 4, 5], 2, cursor).unwrap().items, [4, 5]);
    }

    #[test]
    fn cursors_and_limits_that_cannot_be_are_refused() {
        let cursor = |list: &str, place: usize| {
            Some(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&Cursor(list.to_owned(), "9".to_owned(), place)).unwrap()))
        };
        assert_eq!(ask(&[1], 1, Some("x".to_owned())).unwrap_err(), 400);
        assert_eq!(ask(&[1], 1, cursor("letters", 0)).unwrap_err(), 400);
        assert!(ask(&[1], 1, cursor("numbers", usize::MAX)).unwrap().items.is_empty());
        assert_eq!(ask(&[1], 0, None).unwrap_err(), 400);
        assert_eq!(ask(&[1], 201, None).unwrap_err(), 400);
    }
}
