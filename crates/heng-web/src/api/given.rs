//! Reading strictly: JSON bodies, questions and addresses, each with a sentence that says where it does not fit.

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use heng_domain::text::Lang;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::JSON;
use super::problem::Problem;
use crate::door::language;
use crate::view::App;

/// Most bytes that this address takes are known at its door; this is what a chunked body sees.
async fn body(lang: Lang, request: Request) -> Result<Bytes, Problem> {
    let unreadable = |_| Problem::unreadable(lang, StatusCode::PAYLOAD_TOO_LARGE, "request.too_large", "too_long", "");
    request.extract::<Bytes, _>().await.map_err(unreadable)
}

/// A JSON body, with the bytes as they came.
pub(crate) struct Given<T> {
    pub value: T,
    pub bytes: Bytes,
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case(JSON)
}

impl<T: DeserializeOwned> FromRequest<App> for Given<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Given<T>, Problem> {
        let lang = language(request.headers());
        if !is_json(request.headers()) {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(lang, status, "request.content_type", "content_type", &[]));
        }
        let bytes = body(lang, request).await?;
        match serde_json::from_slice(&bytes) {
            Ok(value) => Ok(Given { value, bytes }),
            Err(error) => {
                // What is no JSON is broken; what is JSON of another shape, or has a field too many, does not fit.
                let (status, code, key) = match error.classify() {
                    Category::Data => (StatusCode::UNPROCESSABLE_ENTITY, "request.shape", "shape"),
                    _ => (StatusCode::BAD_REQUEST, "request.json", "json"),
                };
                Err(Problem::unreadable(lang, status, code, key, &error.to_string()))
            }
        }
    }
}

/// A whole number that is not negative; `3.0` is one too, as JSON Schema has it.
pub(crate) fn whole<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    use serde::Deserialize;
    /// Beyond, a number with a point stands for several whole ones.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = serde_json::Number::deserialize(from)?;
    let plain = number.as_f64().filter(|value| value.fract() == 0.0 && (0.0..=EXACT).contains(value));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was just checked")]
    let plain = plain.map(|value| value as u64);
    number.as_u64().or(plain).ok_or_else(|| serde::de::Error::custom("expected a whole number that is not negative"))
}

/// What stands behind the `?`; names that are not known are refused, since a mistyped filter would show everything.
pub(crate) struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Asked<T>, Problem> {
        let lang = language(&parts.headers);
        let query = parts.uri.query().unwrap_or_default();
        serde_urlencoded::from_str(query).map(Asked).map_err(|error| {
            let status = StatusCode::BAD_REQUEST;
            Problem::unreadable(lang, status, "request.query", "query", &error.to_string())
        })
    }
}

/// The parts of an address; one that cannot be is one that is not there.
pub(crate) struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<At<T>, Problem> {
        let lang = language(&parts.headers);
        Path::from_request_parts(parts, app).await.map(|Path(value)| At(value)).map_err(|_| Problem::missing(lang))
    }
}

/// The language of the answer.
pub(crate) struct Speaks(pub Lang);

impl FromRequestParts<App> for Speaks {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Speaks, Self::Rejection> {
        Ok(Speaks(language(&parts.headers)))
    }
}
