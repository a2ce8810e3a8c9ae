//! Proposals: what waits for signatures, what exactly is signed, and the signatures of one's own key.

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use heng_app::desk;
use heng_app::desk::proposal::{self, Proposal, Standing};
use heng_domain::record::Anchor;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::acts::done;
use super::given::{Asked, At, Given, Speaks};
use super::once::{Request, once};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::shapes::{Checkpoint, Recorded, RoleCount, ShownShape, Told, Words, told};
use super::{Answer, ROOT, blocking, fresh};
use crate::door::Caller;
use crate::sign::{self, load, sign_with};
use crate::view::App;
use crate::work::place;

/// Records that wait for signatures.
#[derive(Serialize, ToSchema)]
#[schema(as = Proposal)]
pub(crate) struct ProposalShape {
    /// Name.
    id: String,
    /// Log.
    log: String,
    /// The log's place in addresses.
    place: String,
    /// The act: a kind of record.
    kind: String,
    /// Its case.
    case: String,
    /// What it is called.
    title: Words,
    /// When it was proposed.
    #[schema(format = DateTime)]
    at: String,
    /// Who acts, as the log knows them.
    actor: String,
    /// I am asked to sign now.
    asked: bool,
    /// I proposed it and may take it back.
    own: bool,
    /// The actor must sign, and signs first.
    actor_signs: bool,
    /// So many of each role must sign.
    roles: Vec<RoleCount>,
    /// Who has signed.
    signers: Vec<String>,
    /// Its address.
    href: String,
}

impl ProposalShape {
    pub fn new(app: &App, proposal: &Proposal, standing: &Standing) -> ProposalShape {
        ProposalShape {
            id: proposal.id.clone(),
            log: proposal.log.clone(),
            place: place(app, &proposal.log),
            kind: proposal.act.clone(),
            case: proposal.case.clone(),
            title: desk::act_name(&proposal.act, &proposal.case).into(),
            at: proposal.at.to_string(),
            actor: proposal.actor.clone(),
            asked: standing.asked,
            own: standing.own,
            actor_signs: proposal.actor_signs,
            roles: proposal.roles.iter().map(|(role, count)| RoleCount::new(*role, *count)).collect(),
            signers: proposal.signers().into_iter().map(str::to_owned).collect(),
            href: format!("{ROOT}/proposals/{}", proposal.id),
        }
    }
}

/// What a device signs for one record.
#[derive(Serialize, ToSchema)]
#[schema(as = Statement)]
pub(crate) struct StatementShape {
    /// The exact bytes whose SHA-256 is signed: canonical JSON of what the record says and of the newest checkpoint.
    text: String,
    /// SHA-256 of `text`, in hex: what an Ed25519 key signs, and the challenge of a passkey.
    hash: String,
    /// The checkpoint; it is sent back with the signature.
    at: Checkpoint,
}

/// One record of a proposal.
#[derive(Serialize, ToSchema)]
#[schema(as = Part)]
pub(crate) struct PartShape {
    /// Kind.
    kind: String,
    /// Document and article.
    basis: String,
    /// Body, as it will stand in the log.
    #[schema(value_type = Object)]
    body: Value,
    /// The same in words; whoever proposed it also sees the hidden values.
    words: Vec<Told>,
    /// What is signed.
    statement: StatementShape,
}

/// The key that counts for me in this log.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyShape {
    /// `ed25519`, `webauthn-es256` or `webauthn-rs256`.
    alg: String,
    /// Fingerprint.
    fingerprint: String,
    /// For a passkey: the domain that it belongs to.
    rp: Option<String>,
}

/// A proposal with what is to be signed.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProposalDetail {
    /// The proposal.
    proposal: ProposalShape,
    /// Who I am in that log.
    me: String,
    /// The key that counts for me; `null` where none is enrolled.
    key: Option<KeyShape>,
    /// The records, in order: one signature for each.
    records: Vec<PartShape>,
    /// What the records concern and what follows from them; texts that they bind by their hash alone.
    shows: Vec<ShownShape>,
    /// The objection that it decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    objection: Option<crate::objections::ObjectionShape>,
}

/// Proposals that ask me, or that I made or signed.
#[utoipa::path(
    get, path = "/api/v1/proposals", tag = "proposals", operation_id = "proposals", params(Paging), security(("token" = [])),
    responses((status = 200, description = "Proposals, oldest first.", body = Page<ProposalShape>))
)]
pub(crate) async fn list(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let list = blocking(lang, move || {
        let found = proposal::concerning(app.heng(), &caller.subject);
        let found = found.map_err(|error| Problem::of_app(lang, &error))?;
        let shapes = found.iter().map(|(proposal, standing)| ProposalShape::new(&app, proposal, standing)).collect();
        page(lang, "proposals", &paging, shapes, |shape: &ProposalShape| shape.id.clone())
    })
    .await?;
    answer(lang, &headers, &uri, &list)
}

/// A proposal: what exactly is to be recorded, and the statements to sign.
#[utoipa::path(
    get, path = "/api/v1/proposals/{id}", tag = "proposals", operation_id = "proposal", security(("token" = [])),
    params(("id" = String, Path, description = "The proposal.")),
    responses((status = 200, description = "The proposal. The statements name the newest checkpoint: fetch them just before signing.", body = ProposalDetail))
)]
pub(crate) async fn show(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(id): At<String>,
    headers: HeaderMap,
) -> Answer {
    let detail = blocking(lang, move || {
        let loaded = load(&app, &caller.subject, &id).map_err(|error| Problem::of_desk(lang, &error))?;
        let key = loaded.standing.key.as_ref().map(|key| KeyShape {
            alg: key.alg().to_owned(),
            fingerprint: key.fingerprint(),
            rp: key.rp().map(str::to_owned),
        });
        let parts = loaded.proposal.parts.iter().zip(&loaded.rows).zip(&loaded.statements);
        let records = parts.map(|((part, rows), statement)| PartShape {
            kind: part.kind.clone(),
            basis: part.basis.clone(),
            body: part.body.clone(),
            words: told(rows),
            statement: StatementShape {
                text: statement.text.clone(),
                hash: statement.hash.to_string(),
                at: (&statement.at).into(),
            },
        });
        Ok(ProposalDetail {
            proposal: ProposalShape::new(&app, &loaded.proposal, &loaded.standing),
            me: loaded.standing.handle.clone(),
            key,
            records: records.collect(),
            shows: loaded.shows.iter().map(ShownShape::from).collect(),
            objection: loaded.objection,
        })
    })
    .await?;
    fresh(lang, &headers, &detail)
}

/// From how many records on.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProofAsked {
    /// Size of the checkpoint that the device verified last; 0 if it has seen none.
    #[serde(default, deserialize_with = "super::given::whole")]
    #[param(default = 0)]
    from: u64,
}

/// What a device needs to see by itself that the log has only grown.
#[derive(Serialize, ToSchema)]
#[schema(as = Growth)]
pub(crate) struct GrowthShape {
    /// The log's key, `name+id+base64` (C2SP signed-note).
    key: String,
    /// The newest signed checkpoint.
    note: String,
    /// Hashes of the consistency proof (RFC 9162 §2.1.4), in hex; empty where `from` is 0 or all.
    proof: Vec<String>,
}

/// Proof that the log of a proposal has only grown since a checkpoint: check it before you sign.
#[utoipa::path(
    get, path = "/api/v1/proposals/{id}/proof", tag = "proposals", operation_id = "proposal_proof", params(("id" = String, Path, description = "The proposal."), ProofAsked), security(("token" = [])),
    responses((status = 200, description = "Key, checkpoint and proof.", body = GrowthShape))
)]
pub(crate) async fn proof(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(id): At<String>,
    Asked(asked): Asked<ProofAsked>,
    headers: HeaderMap,
) -> Answer {
    let found = blocking(lang, move || {
        let found = sign::growth(&app, &caller.subject, &id, asked.from);
        let found = found.map_err(|error| Problem::of_desk(lang, &error))?.ok_or_else(|| Problem::missing(lang))?;
        let proof = found.proof.iter().map(ToString::to_string).collect();
        Ok(GrowthShape { key: found.key, note: found.note, proof })
    })
    .await?;
    fresh(lang, &headers, &found)
}

/// The scan of what a proposal enters from paper: compare it before you sign.
#[utoipa::path(
    get, path = "/api/v1/proposals/{id}/scan", tag = "proposals", operation_id = "proposal_scan", security(("token" = [])),
    params(("id" = String, Path, description = "The proposal.")),
    responses((status = 200, description = "The file as it was uploaded.", body = String, content_type = "application/octet-stream"))
)]
pub(crate) async fn scan(caller: Caller, Speaks(lang): Speaks, State(app): State<App>, At(id): At<String>) -> Answer {
    let (name, hash) = {
        let app = app.clone();
        blocking(lang, move || {
            let loaded = load(&app, &caller.subject, &id).map_err(|error| Problem::of_desk(lang, &error))?;
            sign::scan_of(&app, &loaded.proposal).ok_or_else(|| Problem::missing(lang))
        })
        .await?
    };
    crate::files::download(&app, &name, hash).await.ok_or_else(|| Problem::missing(lang))
}

/// Signatures of the records of a proposal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignaturesGiven {
    /// One for each record, in order.
    #[schema(min_items = 1)]
    signatures: Vec<SignatureGiven>,
}

/// A signature: of an Ed25519 key over the statement's hash, or a passkey's assertion with the hash as its challenge.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignatureGiven {
    /// The checkpoint of the statement that was signed.
    at: Checkpoint,
    /// The signature in base64 or base64url: 64 bytes of Ed25519, or a passkey's in DER.
    s: String,
    /// Of a passkey only: `authenticatorData`.
    #[serde(default)]
    ad: Option<String>,
    /// Of a passkey only: `clientDataJSON`.
    #[serde(default)]
    cd: Option<String>,
}

/// Adds my signatures; with the last one that is needed the records go to the log.
#[utoipa::path(
    post, path = "/api/v1/proposals/{id}/signatures", tag = "proposals", operation_id = "sign_proposal", security(("token" = [])),
    params(("id" = String, Path, description = "The proposal.")),
    request_body = SignaturesGiven,
    responses(
        (status = 201, description = "Nobody is needed any more: it is recorded.", body = Recorded, headers(("Location" = String, description = "The record."))),
        (status = 202, description = "It waits for others.", body = ProposalShape, headers(("Location" = String, description = "The proposal.")))
    )
)]
pub(crate) async fn sign(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(id): At<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    given: Given<SignaturesGiven>,
) -> Answer {
    let Given { value, bytes } = given;
    let mut signatures = Vec::new();
    for (index, SignatureGiven { at, s, ad, cd }) in value.signatures.into_iter().enumerate() {
        let Ok(root) = at.root.parse() else {
            let field = format!("signatures.{index}.at.root");
            let wrong = desk::Wrong::new(&field, "hash");
            return Err(Problem::of_wrong(lang, &[wrong]));
        };
        signatures.push(sign::Given { at: Anchor { size: at.size, root }, s, ad, cd });
    }
    blocking(lang, move || {
        let (subject, owner) = (&caller.subject, &caller.account.id);
        let request = Request { app: &app, lang, headers: &headers, owner, asked: (uri.path(), &bytes[..]) };
        once(&request, || {
            let signed = sign_with(&app, subject, &id, signatures);
            let (outcome, log) = signed.map_err(|error| Problem::of_desk(lang, &error))?;
            done(&app, lang, subject, &log, outcome)
        })
    })
    .await
}

/// Takes back a proposal of mine; the draft of its form is still there.
#[utoipa::path(
    delete, path = "/api/v1/proposals/{id}", tag = "proposals", operation_id = "withdraw_proposal", security(("token" = [])),
    params(("id" = String, Path, description = "The proposal.")),
    responses((status = 204, description = "It is taken back; nothing was recorded."))
)]
pub(crate) async fn withdraw(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(id): At<String>,
) -> Answer {
    blocking(lang, move || {
        let done = proposal::withdraw(app.heng(), &id, &caller.subject);
        done.map(drop).map_err(|error| Problem::of_desk(lang, &error))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
