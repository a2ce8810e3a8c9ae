//! The log's files at the C2SP paths: checkpoints at once, tiles and entries once they are public.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use heng_app::Log;
use heng_domain::edition::Thing;
use heng_log::Sha256;
use heng_log::tile::{TilePath, encode_entries, hash_tile, parse_tile_path};

use crate::view::{App, find};

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn checkpoint(log: &Log) -> Response {
    match &log.image().checkpoint {
        Some(checkpoint) => {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], checkpoint.note.clone()).into_response()
        }
        None => plain(StatusCode::NOT_FOUND, "no checkpoint yet\n"),
    }
}

pub(crate) async fn office_checkpoint(State(app): State<App>) -> Response {
    match app.heng().office_log() {
        Some(log) => checkpoint(&log),
        None => plain(StatusCode::NOT_FOUND, "no office yet\n"),
    }
}

pub(crate) async fn edition_file(
    State(app): State<App>,
    Path((programme, edition, file)): Path<(String, String, String)>,
) -> Response {
    let Some(log) = find(&app, &programme, &edition) else { return plain(StatusCode::NOT_FOUND, "no such log\n") };
    if file == "checkpoint" {
        return checkpoint(&log);
    }
    // Number and time of records tell how many experts have submitted: they wait for the notice.
    let may = log.image().state.edition().is_some_and(|e| e.public_may_see(Thing::Records));
    if !may {
        return plain(StatusCode::NOT_FOUND, "entries become public with the notice of the winners\n");
    }
    let Ok(tile) = parse_tile_path(&file) else { return plain(StatusCode::NOT_FOUND, "not a tile\n") };
    match bytes(&app, &log, tile) {
        Some(bytes) => ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response(),
        None => plain(StatusCode::NOT_FOUND, "no such tile\n"),
    }
}

/// The bytes of a tile in the tree that the path's width asks for.
fn bytes(app: &App, log: &Log, tile: TilePath) -> Option<Vec<u8>> {
    let width = u64::from(tile.width);
    match tile.level {
        None => {
            let from = tile.index.checked_mul(256)?;
            if from.checked_add(width)? > log.image().checkpoint.as_ref()?.size {
                return None;
            }
            let entries = app.heng().store().read(log.id(), from, width).ok()?;
            let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
            encode_entries(&slices).ok()
        }
        Some(level) => {
            let image = log.image();
            let span = 256u64.checked_pow(u32::from(level))?;
            let needed = tile.index.checked_mul(256)?.checked_add(width)?.checked_mul(span)?;
            let leaves = image.leaves.get(..usize::try_from(needed).ok()?)?;
            hash_tile::<Sha256>(leaves, level, tile.index).ok()
        }
    }
}
