//! Who the token stands for.

use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::given::Speaks;
use super::shapes::name_of;
use super::{Answer, fresh};
use crate::door::Caller;

/// Who the token stands for.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    /// Person `p:…` or organisation `o:…`, as the logs know them.
    #[schema(example = "o:0001")]
    subject: String,
    /// Name, as its owner sees it.
    name: String,
    /// Language of pages and notices.
    #[schema(example = "zh-Hans")]
    language: String,
    /// May invite colleagues of the same organisation.
    admin: bool,
}

/// Who the token stands for.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "me", operation_id = "me", security(("token" = [])),
    responses((status = 200, description = "The account behind the token.", body = Me))
)]
pub(crate) async fn show(caller: Caller, Speaks(lang): Speaks, headers: HeaderMap) -> Answer {
    let Caller { account, subject } = caller;
    let me = Me { subject, name: account.name, language: name_of(&account.language), admin: account.admin };
    fresh(lang, &headers, &me)
}
