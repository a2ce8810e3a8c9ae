//! Records and their receipts: one's own, and those that are public.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use heng_app::desk;
use heng_domain::edition::Thing;
use heng_domain::record::Record;
use heng_domain::text::Lang;
use heng_log::Sha256;
use heng_log::tree::leaf_hash;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::given::{At, Speaks};
use super::problem::Problem;
use super::shapes::{Told, told};
use super::{Answer, blocking, fresh, log_href};
use crate::act::own_record;
use crate::door::Caller;
use crate::view::App;
use crate::work::log_of;

/// A record of the log.
#[derive(Serialize, ToSchema)]
#[schema(as = Record)]
pub(crate) struct RecordShape {
    /// The record, as docs/format.md describes it. Its canonical form has the leaf's hash.
    #[schema(value_type = Object)]
    record: Value,
    /// Leaf hash, in hex.
    leaf: String,
    /// The same in words.
    words: Vec<Told>,
    /// Address of its receipt.
    receipt: String,
}

/// A receipt.
#[derive(Serialize, ToSchema)]
#[schema(as = Receipt)]
pub(crate) struct ReceiptShape {
    /// Number of the record.
    seq: u64,
    /// The proof as a file holds it (C2SP tlog-proof): record number, path in the tree, signed checkpoint.
    receipt: String,
}

/// The record of an address that the caller may see.
fn find(lang: Lang, app: &App, caller: &Caller, at: &(String, String, u64)) -> Result<(String, Record), Problem> {
    let missing = || Problem::missing(lang);
    let log = log_of(app, &at.0, &at.1).ok_or_else(missing)?;
    if let Some(record) = own_record(app, &log, &caller.subject, at.2) {
        return Ok((log, record));
    }
    let found = app.heng().log(&log).map_err(|_| missing())?;
    let public = {
        let image = found.image();
        image.state.edition().is_some_and(|e| e.public_may_see(Thing::Records) && at.2 < e.size)
    };
    if !public {
        return Err(missing());
    }
    let record = found.record(at.2).map_err(|error| Problem::of_app(lang, &error))?;
    Ok((log, record))
}

/// A record of mine, or a public one.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/records/{seq}", tag = "records", operation_id = "record", security(("token" = [])),
    params(("first" = String, Path, description = "Programme, or `office`.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition, or `log`."), ("seq" = u64, Path, description = "Number of the record.", minimum = 0)),
    responses((status = 200, description = "The record.", body = RecordShape))
)]
pub(crate) async fn show(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(at): At<(String, String, u64)>,
    headers: HeaderMap,
) -> Answer {
    let shape = blocking(lang, move || {
        let (log, record) = find(lang, &app, &caller, &at)?;
        let bytes = record.to_bytes().map_err(|_| Problem::internal(lang))?;
        let words = {
            let found = app.heng().log(&log).map_err(|error| Problem::of_app(lang, &error))?;
            let image = found.image();
            told(&desk::describe(&image.state, &record.kind, &record.body, &BTreeMap::new()))
        };
        Ok(RecordShape {
            record: serde_json::to_value(&record).map_err(|_| Problem::internal(lang))?,
            leaf: leaf_hash::<Sha256>(&bytes).to_string(),
            words,
            receipt: log_href(&app, &log, &format!("/receipts/{}", record.seq)),
        })
    })
    .await?;
    fresh(lang, &headers, &shape)
}

/// The receipt of a record of mine, or of a public one.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/receipts/{seq}", tag = "records", operation_id = "receipt", security(("token" = [])),
    params(("first" = String, Path, description = "Programme, or `office`.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition, or `log`."), ("seq" = u64, Path, description = "Number of the record.", minimum = 0)),
    responses((status = 200, description = "The receipt.", body = ReceiptShape))
)]
pub(crate) async fn receipt(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(at): At<(String, String, u64)>,
    headers: HeaderMap,
) -> Answer {
    let shape = blocking(lang, move || {
        let (log, record) = find(lang, &app, &caller, &at)?;
        let receipt = app.heng().log(&log).and_then(|log| log.receipt(record.seq));
        let receipt = receipt.map_err(|error| Problem::of_app(lang, &error))?;
        Ok(ReceiptShape { seq: record.seq, receipt: receipt.to_string() })
    })
    .await?;
    fresh(lang, &headers, &shape)
}
