//! The commands, one function each.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use heng_app::account::{Accounts, By, Hidden, Invite, Provider, Site, Subject};
use heng_app::bundle::{public_bundle, write_tar};
use heng_app::simulation::{Size, build_scaled_demo};
use heng_app::{Clock, Heng, Log, ManualClock, OsEntropy, Place, ShiftedClock, SystemClock};
use heng_domain::office::events::{Event, FirstOfficer, OfficeFounded};
use heng_domain::rules::Level;
use heng_domain::text::{Lang, Text};
use heng_log::Hash;
use heng_log::code::root_code;
use heng_log::signature::PersonalKey;
use heng_verify::{Bundle, Options};
use serde_json::json;

use crate::terminal::{progress, say};
use crate::{Where, data};

fn place(place: &Where) -> Result<Place> {
    match (&place.data, &place.database) {
        (Some(folder), _) => Ok(Place::Folder(folder.clone())),
        (None, Some(url)) => Ok(Place::Postgres { url: url.clone(), keys: place.keys.clone() }),
        (None, None) => bail!("say where the data are: --data DIR or --database URL"),
    }
}

/// Opens an office for work; only one server may have it.
fn open(at: &Place, lang: Lang) -> Result<Heng> {
    open_with(at, lang, Arc::new(SystemClock))
}

fn open_with(at: &Place, lang: Lang, clock: Arc<dyn Clock>) -> Result<Heng> {
    let bar = progress();
    let heng = Heng::open(at, clock, Arc::new(OsEntropy), &|log, done, all| {
        bar.set_message(say(
            lang,
            "replaying",
            &[("log", log), ("done", &done.to_string()), ("all", &all.to_string())],
        ));
    });
    bar.finish_and_clear();
    Ok(heng?)
}

/// Opens an office for reading only, also while a server runs.
fn look(at: &Place) -> Result<Heng> {
    Ok(Heng::read_only(at, Arc::new(SystemClock), Arc::new(OsEntropy))?)
}

// ── demo, serve, init ──────────────────────────────────────────────────────────────────────────────────

pub(crate) fn demo(
    folder: &Path,
    scale: Option<usize>,
    listen: &str,
    no_serve: bool,
    site: Option<&str>,
    lang: Lang,
) -> Result<ExitCode> {
    let at = Place::Folder(folder.to_path_buf());
    let filled = folder.join("heng.sqlite").exists();
    if !filled {
        if folder.is_dir() && std::fs::read_dir(folder)?.next().is_some() {
            bail!("{} is not empty and holds no office: name an empty folder with --data", folder.display());
        }
        let now = Clock::now(&SystemClock);
        let clock = Arc::new(ManualClock::at(now));
        let bar = progress();
        let heng = Heng::open(&at, Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(OsEntropy), &|_, _, _| {})?;
        let frozen = data::zhumadian()?;
        let step = |step: &str| bar.set_message(step.to_owned());
        let built = build_scaled_demo(&heng, &clock, &frozen, data::FIGURES, now.date(480), scale, &step);
        bar.finish_and_clear();
        let report = match built {
            Ok(report) => report,
            Err(error) => {
                // A half-built demonstration would only be refused the next time.
                drop(heng);
                let _ = std::fs::remove_dir_all(folder);
                return Err(error.into());
            }
        };
        println!(
            "{}",
            say(
                lang,
                "demo_built",
                &[("records", &report.records.to_string()), ("folder", &folder.display().to_string())]
            )
        );
    }
    if no_serve {
        return Ok(ExitCode::SUCCESS);
    }
    serve_at(&at, &Serving { listen, site, settings: None, security_contact: None }, lang)
}

pub(crate) fn serve(at: &Where, serving: &Serving<'_>, lang: Lang) -> Result<ExitCode> {
    serve_at(&place(at)?, serving, lang)
}

/// How a server is reached and what it is told.
pub(crate) struct Serving<'a> {
    pub listen: &'a str,
    pub site: Option<&'a str>,
    pub settings: Option<&'a Path>,
    pub security_contact: Option<String>,
}

/// Settings of a server from a TOML file (docs/operations.md).
#[derive(Default)]
struct Settings {
    /// How people are told.
    outbox: Option<heng_app::outbox::OutboxConfig>,
    /// The office's identity provider.
    oidc: Option<Provider>,
    /// Proxies whose word about a client's address counts.
    trusted_proxies: Vec<IpAddr>,
}

/// The table `[proxy]`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Proxy {
    trusted: Vec<IpAddr>,
}

fn settings_of(file: Option<&Path>, origin: &str) -> Result<Settings> {
    let Some(file) = file else { return Ok(Settings::default()) };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut table: toml::Table = toml::from_str(&text).with_context(|| format!("{} is not TOML", file.display()))?;
    let wrong = || format!("{}: see docs/operations.md", file.display());
    let trusted_proxies = match table.remove("proxy") {
        None => Vec::new(),
        Some(proxy) => {
            proxy
                .try_into::<Proxy>()
                .with_context(|| {
                    format!("{}: [proxy] needs trusted = [\"127.0.0.1\"], addresses only", file.display())
                })?
                .trusted
        }
    };
    let oidc = match table.remove("oidc") {
        None => None,
        Some(oidc) => {
            let text = |key: &str| oidc.get(key).and_then(toml::Value::as_str).map(str::to_owned);
            let needed = |key: &str| text(key).ok_or_else(|| anyhow!("{}: [oidc] needs {key}", file.display()));
            Some(Provider {
                issuer: needed("issuer")?,
                client_id: needed("client_id")?,
                client_secret: text("client_secret").map(Hidden::new),
                redirect: format!("{origin}/sign-in/provider/back"),
            })
        }
    };
    if table.is_empty() {
        return Ok(Settings { outbox: None, oidc, trusted_proxies });
    }
    table.entry("base_url").or_insert_with(|| format!("{origin}/").into());
    Ok(Settings { outbox: Some(table.try_into().with_context(wrong)?), oidc, trusted_proxies })
}

/// Where the pages are reached: what was said, or this machine under the name that passkeys need.
fn site_of(given: Option<&str>, port: u16) -> Result<Site> {
    let origin = given.map_or_else(|| format!("http://localhost:{port}"), |text| text.trim_end_matches('/').to_owned());
    let host = origin.split_once("://").map(|(_, rest)| rest.split([':', '/']).next().unwrap_or_default());
    let rp_id = host
        .filter(|host| !host.is_empty())
        .ok_or_else(|| anyhow!("--site needs an address like https://award.example"))?;
    Ok(Site { rp_id: rp_id.to_owned(), origin: origin.clone() })
}

/// The demonstration's clock: what was let pass before, and never before the newest record.
fn set_demo_clock(heng: &Heng, clock: &ShiftedClock) -> Result<()> {
    let kept = heng.store().row("demo", "shift")?.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    clock.set_ahead(kept.unwrap_or(0));
    let newest = heng.logs().iter().filter_map(|log| log.image().state.position().1).max();
    if let Some(behind) =
        newest.map(|newest| newest.millis() - Clock::now(clock).millis()).filter(|behind| *behind >= 0)
    {
        clock.set_ahead(clock.shift() + behind + 60_000);
    }
    Ok(())
}

fn serve_at(at: &Place, serving: &Serving<'_>, lang: Lang) -> Result<ExitCode> {
    let listen = serving.listen;
    if let Place::Folder(folder) = at
        && !folder.join("heng.sqlite").exists()
    {
        bail!("{} holds no office yet: found one with `heng init`, or try `heng demo`", folder.display());
    }
    let clock = Arc::new(ShiftedClock::default());
    let heng = Arc::new(open_with(at, lang, Arc::clone(&clock) as Arc<dyn Clock>)?);
    let Some(office) = heng.office_log() else {
        bail!("there is no office here yet: found one with `heng init`, or try `heng demo`");
    };
    let invented = office.image().state.office().is_some_and(|office| office.founded.demo);
    if invented {
        set_demo_clock(&heng, &clock)?;
    }
    // A registration that a crash left without its edition is made good before anybody looks.
    heng_app::opening::open_missing(&heng)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the server")?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await.with_context(|| {
            format!("cannot listen at {listen}: is another program there? choose another address with --listen")
        })?;
        let address = listener.local_addr()?;
        let site = site_of(serving.site, address.port())?;
        let Settings { outbox, oidc, trusted_proxies } = settings_of(serving.settings, &site.origin)?;
        println!("{}", say(lang, "serving", &[("address", &format!("{}/", site.origin))]));
        let demo = invented.then_some(heng_web::Demo { seed: heng_app::simulation::DEMO_SEED, clock });
        let security_contact = serving.security_contact.clone();
        let settings = heng_web::Settings { site, demo, outbox, oidc, chores: true, security_contact, trusted_proxies };
        let app = heng_web::App::new(heng, settings)?;
        heng_web::serve(app, listener).await.context("the server ended")
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn init(
    at: &Where,
    log: &str,
    name: (&str, &str),
    officers: &[String],
    keys: &Path,
    site: Option<&str>,
    lang: Lang,
) -> Result<ExitCode> {
    if officers.len() < 2 {
        bail!("an office needs two officers from the start, since keys are enrolled by two: give --officer twice");
    }
    let heng = Arc::new(open(&place(at)?, lang)?);
    if heng.office_log().is_some() {
        bail!("there is an office here already");
    }
    std::fs::create_dir_all(keys).with_context(|| format!("cannot make {}", keys.display()))?;
    let mut list = Vec::new();
    let mut signers = Vec::new();
    for (index, officer) in officers.iter().enumerate() {
        let person = format!("p:{:04}", index + 1);
        let seed = heng.random()?;
        let key = PersonalKey::from_seed(seed);
        write_key(&keys.join(format!("{}.key", person.replace(':', "-"))), &Hash(seed).to_string())?;
        list.push(FirstOfficer { key: key.public(), name: officer.clone(), person: person.clone() });
        signers.push((person, key));
    }
    let office = heng.create_log(log, "office")?;
    let founded = OfficeFounded {
        demo: false,
        level: Level::City,
        name: Text::new(name.0, name.1),
        officers: list,
        utc_offset_minutes: 480,
    };
    let (kind, body) = Event::from(founded).split().ok_or_else(|| anyhow!("the record cannot be written"))?;
    let first = signers.first().map(|(person, _)| person.clone()).unwrap_or_default();
    let mut draft = heng_app::draft::Draft::new(&first, "办公室设立", kind, body);
    for (person, key) in &signers {
        draft = draft.sign(log, person, key, office.anchor())?;
    }
    office.submit(draft)?;
    println!("{}", say(lang, "founded", &[("log", log), ("keys", &keys.display().to_string())]));
    for ((person, _), name) in signers.iter().zip(officers) {
        print_invitation(&heng, site, person, name, None, lang)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Invites somebody by command: the first officers, or whoever runs the award after all links were lost.
pub(crate) fn invite(
    at: &Where,
    person: &str,
    name: Option<&str>,
    email: Option<&str>,
    site: Option<&str>,
    lang: Lang,
) -> Result<ExitCode> {
    let heng = Arc::new(open(&place(at)?, lang)?);
    let public = {
        let office =
            heng.office_log().ok_or_else(|| anyhow!("there is no office here yet: found one with `heng init`"))?;
        let image = office.image();
        let found = image.state.office().and_then(|office| office.people.get(person));
        found
            .ok_or_else(|| anyhow!("nobody is registered as {person}: an officer registers people in the pages"))?
            .name
            .clone()
    };
    let name = name.or(public.as_deref()).ok_or_else(|| anyhow!("{person} has no public name: say it with --name"))?;
    print_invitation(&heng, site, person, name, email, lang)?;
    Ok(ExitCode::SUCCESS)
}

fn print_invitation(
    heng: &Arc<Heng>,
    site: Option<&str>,
    person: &str,
    name: &str,
    email: Option<&str>,
    lang: Lang,
) -> Result<()> {
    let site = site_of(site, 8080)?;
    let origin = site.origin.clone();
    let invite = Invite::new(Subject::Person(person.to_owned()), name, email);
    let accounts = Accounts::new(Arc::clone(heng), site).map_err(|error| anyhow!(error.sentence(lang)))?;
    let issued = accounts.invite(By::Operator, &invite).map_err(|error| anyhow!(error.sentence(lang)))?;
    let link = format!("{origin}/invitations/{}", issued.token.expose());
    println!("{}", say(lang, "invitation", &[("name", name), ("person", person), ("link", &link)]));
    Ok(())
}

fn write_key(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {} (a key that exists is never replaced)", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(file.sync_all()?)
}

// ── editions, bundle, verify ───────────────────────────────────────────────────────────────────────────

pub(crate) fn editions(at: &Where, json: bool, lang: Lang) -> Result<ExitCode> {
    let heng = look(&place(at)?)?;
    let mut list = Vec::new();
    for log in heng.editions() {
        let image = log.image();
        let Some(edition) = image.state.edition() else {
            continue;
        };
        let stages: Vec<&str> = edition.open_stages().iter().map(|s| s.name.get(lang)).collect();
        let code = image.checkpoint.as_ref().map(|c| root_code(&Hash(c.root))).unwrap_or_default();
        list.push(json!({
            "closed": edition.closed,
            "edition": edition.opened.edition,
            "log": log.id(),
            "programme": edition.rules().name.get(lang),
            "published": edition.winners_published().is_some(),
            "records": edition.size,
            "root_code": code,
            "stages": stages,
            "year": edition.opened.year,
        }));
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&list)?);
    } else if list.is_empty() {
        println!("{}", say(lang, "no_editions", &[]));
    } else {
        for item in &list {
            let text = |key: &str| item[key].as_str().unwrap_or("").to_owned();
            let stages: Vec<&str> =
                item["stages"].as_array().into_iter().flatten().filter_map(|s| s.as_str()).collect();
            let state = match (item["closed"].as_bool(), item["published"].as_bool()) {
                (Some(true), _) => say(lang, "state_closed", &[]),
                (_, Some(true)) => say(lang, "state_published", &[]),
                _ => stages.join("、"),
            };
            println!("{}\t{}\t{}\t{}", text("log"), text("programme"), item["records"], state);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn pick(heng: &Heng, edition: Option<&str>) -> Result<Arc<Log>> {
    match edition {
        Some(name) => Ok(heng.find_edition(name)?),
        None => {
            heng.newest_published().ok_or_else(|| anyhow!("no edition is published yet; `heng editions` lists them"))
        }
    }
}

pub(crate) fn bundle(at: &Where, edition: Option<&str>, out: &Path, lang: Lang) -> Result<ExitCode> {
    let heng = look(&place(at)?)?;
    let log = pick(&heng, edition)?;
    let files = public_bundle(&heng, &log)?;
    // Written beside and renamed, so that a half-written bundle never has the final name.
    let partial = out.with_extension("part");
    let file = std::fs::File::create(&partial).with_context(|| format!("cannot write {}", partial.display()))?;
    let mut writer = std::io::BufWriter::new(file);
    let written =
        write_tar(&files, &mut writer).and_then(|()| writer.flush()).and_then(|()| writer.get_ref().sync_all());
    if let Err(error) = written {
        let _ = std::fs::remove_file(&partial);
        return Err(error).with_context(|| format!("cannot write {}", out.display()));
    }
    std::fs::rename(&partial, out).with_context(|| format!("cannot write {}", out.display()))?;
    let image = log.image();
    let code = image.checkpoint.as_ref().map(|c| root_code(&Hash(c.root))).unwrap_or_default();
    let (files, path) = (files.len().to_string(), out.display().to_string());
    println!("{}", say(lang, "bundled", &[("log", log.id()), ("files", &files), ("path", &path), ("code", &code)]));
    Ok(ExitCode::SUCCESS)
}

pub(crate) struct VerifyRequest {
    pub bundle: Option<PathBuf>,
    pub data: Option<PathBuf>,
    pub explain: Option<String>,
    pub json: bool,
    pub code: Option<String>,
    pub against: Option<PathBuf>,
}

pub(crate) fn verify(request: &VerifyRequest, lang: Lang) -> Result<ExitCode> {
    let bundle = match (&request.bundle, &request.data) {
        (Some(path), _) => Bundle::open(path)?,
        (None, Some(folder)) => {
            let heng = look(&Place::Folder(folder.clone()))?;
            let log = pick(&heng, None)?;
            Bundle { files: public_bundle(&heng, &log)? }
        }
        (None, None) => bail!("name a bundle, or --data DIR"),
    };
    let against = request.against.as_deref().map(Bundle::open).transpose()?;
    let report = heng_verify::verify(&bundle, &Options { code: request.code.clone(), against })?;
    if request.json {
        let value = json!({ "exit_code": report.exit_code(), "report": report });
        println!("{}", serde_json::to_string_pretty(&value)?);
    } else if let Some(id) = &request.explain {
        let id = id.to_uppercase();
        let text = report.explain(&id, lang).ok_or_else(|| anyhow!("there is no check {id}: they are V-00 to V-24"))?;
        println!("{text}");
    } else {
        println!("{}", report.render(lang));
    }
    Ok(ExitCode::from(report.exit_code()))
}

// ── rules, simulate, doctor ────────────────────────────────────────────────────────────────────────────

pub(crate) fn rules_check(file: &Path, lang: Lang) -> Result<ExitCode> {
    let rules = data::rules(file)?;
    let text = serde_json::to_string(&rules)?;
    let assumed = text.matches("\"assumed\":true").count().to_string();
    let stages = rules.stages.len().to_string();
    let name = rules.name.get(lang);
    println!(
        "{}",
        say(
            lang,
            "rules_ok",
            &[("name", name), ("version", &rules.version), ("stages", &stages), ("assumed", &assumed)]
        )
    );
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn simulate(file: &Path, size: Size, as_json: bool, lang: Lang) -> Result<ExitCode> {
    let frozen = data::frozen(file)?;
    let bar = progress();
    let outcome = heng_app::simulation::simulate(&frozen, size, &|stage| bar.set_message(stage.to_owned()));
    bar.finish_and_clear();
    let (heng, log) = outcome?;
    let bundle = Bundle { files: public_bundle(&heng, &log)? };
    let report = heng_verify::verify(&bundle, &Options::default())?;
    let image = log.image();
    let edition = image.state.edition().ok_or_else(|| anyhow!("the simulation made no edition"))?;
    if as_json {
        let value = json!({
            "exit_code": report.exit_code(),
            "records": report.records,
            "result": edition.public_result(),
            "root": report.root,
            "seed": size.seed,
        });
        println!("{}", serde_json::to_string_pretty(&value)?);
    } else {
        for winner in edition.public_result().map(|r| r.winners).unwrap_or_default() {
            let tier = edition.rules().tier(&winner.tier).map_or("", |t| t.name.get(lang));
            println!("{tier}\t{}\t{}", winner.application, winner.name.get(lang));
        }
        println!("{}", report.render(lang));
    }
    Ok(ExitCode::from(report.exit_code()))
}

pub(crate) fn doctor(at: &Where, lang: Lang) -> Result<ExitCode> {
    let found = heng_app::doctor::examine(&place(at)?)?;
    for line in &found.sound {
        println!("  ✓ {line}");
    }
    for line in &found.wrong {
        println!("  ✗ {line}");
    }
    let key = if found.wrong.is_empty() { "doctor_sound" } else { "doctor_wrong" };
    println!("{}", say(lang, key, &[("count", &found.wrong.len().to_string())]));
    Ok(ExitCode::from(u8::from(!found.wrong.is_empty())))
}
