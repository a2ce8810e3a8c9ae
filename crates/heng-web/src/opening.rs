//! Openings: who opened which dossier, file or paper, and when. They lie beside the log; the supervisor reads them.
//!
//! A file that leaves for anybody but the applicant is a copy that carries its reader, the time and the opening's code
//! (decision 0028).

use std::collections::BTreeSet;
use std::io::Read;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use heng_app::account::Account;
use heng_app::desk::files;
use heng_app::mark::{self, Line, Unmarked};
use heng_app::upload::FileReader;
use heng_domain::edition::Edition;
use heng_domain::edition::events::{Attachment, Role};
use heng_domain::edition::secret::Part;
use heng_domain::time::Instant;
use heng_log::{Hash, sha256};
use tokio::sync::Semaphore;

use crate::view::App;

/// Where openings are kept.
const ROWS: &str = "opening";

/// So many copies are made at a time: each holds its file in memory.
static COPIES: Semaphore = Semaphore::const_new(2);

/// One opening.
pub(crate) struct Opening {
    /// Application; empty for a paper about all of them.
    pub application: String,
    /// When.
    pub at: Instant,
    /// Who, as the log knows them.
    pub by: String,
    /// `dossier`, a paper's name, or the hash of a file.
    pub what: String,
    /// The code that a copy carries.
    pub code: String,
    /// Why a copy carries no mark.
    pub unmarked: Option<Unmarked>,
}

fn code(key: &str) -> String {
    sha256(key.as_bytes()).to_string().chars().take(8).collect()
}

fn key(log: &str, reader: &str, application: &str, what: &str, at: Instant) -> String {
    format!("{log}|{application}|{at}|{reader}|{what}")
}

/// Notes that somebody opens something; whether it is noted: what is not noted is not shown.
#[must_use]
pub(crate) fn note(app: &App, log: &str, reader: &str, application: &str, what: &str) -> bool {
    let key = key(log, reader, application, what, app.heng().clock().now());
    let noted = app.heng().store().put_row(ROWS, &key, b"");
    if let Err(error) = &noted {
        tracing::error!(%error, "an opening could not be noted");
    }
    noted.is_ok()
}

/// The newest openings of a log, and no more than `most`.
pub(crate) fn newest(app: &App, log: &str, most: usize) -> heng_app::Result<Vec<Opening>> {
    let rows = app.heng().store().rows_with_prefix(ROWS, &format!("{log}|"))?;
    let mut openings: Vec<Opening> = rows.iter().filter_map(|(key, value)| read(key, value)).collect();
    openings.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.what.cmp(&b.what)));
    openings.truncate(most);
    Ok(openings)
}

fn read(key: &str, value: &[u8]) -> Option<Opening> {
    let mut parts = key.split('|').skip(1);
    let (application, at, by, what) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some(Opening {
        application: application.to_owned(),
        at: Instant::parse(at).ok()?,
        by: by.to_owned(),
        what: what.to_owned(),
        code: code(key),
        unmarked: Unmarked::ALL.into_iter().find(|reason| reason.name().as_bytes() == value),
    })
}

/// A file of a dossier for `reader`, the owner of `account`, as a download; `None` where there is none for them.
pub(crate) async fn file(
    app: &App,
    log: &str,
    (reader, account): (&str, &Account),
    application: &str,
    sha: &str,
) -> heng_app::Result<Option<Response>> {
    let Some(found) = find(app, log, reader, application, sha)? else { return Ok(None) };
    give(app, log, (reader, account), application, found).await
}

/// A file that came with an objection, for those who may see the objection; `None` for all others.
pub(crate) async fn evidence(
    app: &App,
    log: &str,
    (reader, account): (&str, &Account),
    objection: &str,
    sha: &str,
) -> heng_app::Result<Option<Response>> {
    let found = {
        let found = app.heng().log(log)?;
        let image = found.image();
        let edition = image.state.edition().filter(|edition| edition.may_see_objection(reader, objection));
        edition.and_then(|e| {
            let file = e.objection_files(objection).into_iter().find(|file| file.sha256.to_string() == sha)?;
            let found = Found { file, own: false, offset: e.rules().utc_offset_minutes };
            Some((e.objection(objection)?.body.application.clone(), found))
        })
    };
    let Some((application, found)) = found else { return Ok(None) };
    give(app, log, (reader, account), &application, found).await
}

/// The file to its owner, or a copy that carries its reader; noted either way.
async fn give(
    app: &App,
    log: &str,
    (reader, account): (&str, &Account),
    application: &str,
    found: Found,
) -> heng_app::Result<Option<Response>> {
    let sha = &found.file.sha256.to_string();
    if found.own {
        app.heng().store().put_row(ROWS, &key(log, reader, application, sha, app.heng().clock().now()), b"")?;
        return Ok(crate::files::download(app, &found.file.name, found.file.sha256).await);
    }
    let at = app.heng().clock().now();
    let key = key(log, reader, application, sha, at);
    let code = code(&key);
    let name = coded(&found.file.name, &code);
    let line = Line { text: format!("{reader} {} {code}", found.when(at)), name: account.name.clone() };
    let copy = match mark::markable(&found.file.name, found.file.size) {
        Ok(()) => copy(app, &found.file, line).await?,
        Err(reason) => Err(reason),
    };
    // Noted before a byte leaves: what was not noted was not given.
    let reason = copy.as_ref().err().map_or("", |reason| reason.name());
    app.heng().store().put_row(ROWS, &key, reason.as_bytes())?;
    Ok(match copy {
        Ok(bytes) => {
            let length = [(header::CONTENT_LENGTH, bytes.len().to_string())];
            Some((crate::files::inert(&name), length, bytes).into_response())
        }
        Err(_) => crate::files::download(app, &name, found.file.sha256).await,
    })
}

/// The letters beside a dossier: in which departments answered on the application, and which recommenders showed for it.
#[derive(Default)]
pub(crate) struct Replies {
    /// Those whose uploads the letters are.
    owners: BTreeSet<String>,
    evidence: BTreeSet<Hash>,
}

impl Replies {
    /// What a reader may see of them: all of it who oversees the edition, the own proofs a recommender.
    pub fn of(edition: &Edition, reader: &str, application: &str) -> Replies {
        let oversees = edition.oversees(reader);
        let mut found = Replies::default();
        for asked in edition.opinions.iter().filter(|_| oversees) {
            let answers = asked.answers.iter().filter(|((_, about), _)| about == application);
            found.evidence.extend(answers.flat_map(|(_, (body, _))| body.evidence.iter().copied()));
            let officers = edition.seats.iter().filter(|(_, seat)| seat.roles.contains(&Role::Officer));
            found.owners.extend(officers.map(|(person, _)| person.clone()));
        }
        let given = edition.applications.get(application).into_iter().flat_map(|a| &a.recommendations);
        for recommendation in given.filter(|given| oversees || given.recommender == reader) {
            found.evidence.extend(&recommendation.body.evidence);
            found.owners.insert(recommendation.recommender.clone());
        }
        found
    }

    /// All that proves them: uploaded letters, and texts that say where the paper is kept.
    pub fn evidence(&self) -> impl Iterator<Item = Hash> + '_ {
        self.evidence.iter().copied()
    }

    /// The uploaded letters under the names that their owners gave them. Reads the store.
    ///
    /// # Errors
    /// If the store fails.
    pub fn letters(&self, app: &App) -> heng_app::Result<Vec<Attachment>> {
        let mut out = Vec::new();
        for sha256 in self.evidence() {
            for owner in &self.owners {
                if let Some(info) = files::info(app.heng(), owner, &sha256.to_string())? {
                    out.push(Attachment { about: info.about, name: info.name, sha256, size: info.size });
                    break;
                }
            }
        }
        Ok(out)
    }
}

/// A file that somebody may open.
struct Found {
    file: Attachment,
    own: bool,
    offset: i32,
}

impl Found {
    /// The time as a mark shows it.
    fn when(&self, at: Instant) -> String {
        let at = at.local(self.offset);
        format!("{} {:02}:{:02}", at.date(), at.hour(), at.minute())
    }
}

/// What the firm marked as a business secret is for the office and the panel alone. Records of earlier versions do not say
/// which files are marked; the owner's list does. Letters beside the dossier have their own rule.
fn find(app: &App, log: &str, reader: &str, application: &str, sha: &str) -> heng_app::Result<Option<Found>> {
    let (file, letters, offset, owner, inner) = {
        let found = app.heng().log(log)?;
        let image = found.image();
        let edition = image.state.edition();
        let Some((e, a)) = edition.and_then(|e| Some((e, e.applications.get(application)?))) else { return Ok(None) };
        let file = a.body.attachments.iter().find(|f| f.sha256.to_string() == sha).cloned();
        let file = file.filter(|f| e.may_read_part(reader, application, Part::File(&f.sha256)));
        let inner = e.reads_secrets(reader, application);
        let letters = Replies::of(e, reader, application);
        (file, letters, e.rules().utc_offset_minutes, a.body.organisation.clone(), inner)
    };
    let own = owner == reader;
    let found = |file| Found { file, own, offset };
    if let Some(file) = file {
        let secret = files::info(app.heng(), &owner, sha)?.is_some_and(|info| info.secret);
        return Ok((!secret || inner).then(|| found(file)));
    }
    Ok(letters.letters(app)?.into_iter().find(|file| file.sha256.to_string() == sha).map(found))
}

/// The marked copy of a file, made where it blocks nobody.
async fn copy(app: &App, file: &Attachment, line: Line) -> heng_app::Result<Result<Vec<u8>, Unmarked>> {
    let permit = COPIES.acquire().await.map_err(|error| heng_app::AppError::Other(error.to_string()))?;
    let (app, file) = (app.clone(), file.clone());
    let made = tokio::task::spawn_blocking(move || {
        let made = content(&app, &file).map(|bytes| mark::mark(&file.name, &bytes, &line));
        drop(permit);
        made
    });
    // A file that breaks the reader of files is damaged, whatever else it is.
    made.await.unwrap_or(Ok(Err(Unmarked::Damaged)))
}

/// The whole content; `markable` has looked at its size.
fn content(app: &App, file: &Attachment) -> heng_app::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(reader) = FileReader::attachment(app.heng().store().clone(), &file.sha256.0)? {
        let read = reader.take(mark::MOST_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|source| heng_app::AppError::Io { what: file.sha256.to_string(), source })?;
    }
    Ok(bytes)
}

/// The name with the code before its ending.
fn coded(name: &str, code: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}-{code}.{ending}"),
        None => format!("{name}-{code}"),
    }
}
