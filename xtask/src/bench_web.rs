//! `cargo xtask bench-web`: the release binary under load, at the size of a whole province's award.
//!
//! Signed-in people read and write through the same pages as everybody. CPU is that of the server's process alone, so it
//! says more than the clock on a machine that is shared. Prints; asserts nothing.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::http::{Answer, Client, encode};

/// Clients at once.
const CLIENTS: [usize; 3] = [1, 4, 64];
/// The officer who reads the list of all applications.
const OFFICER: &str = "p:0001";
/// Submissions in one measurement at most: each takes one of the sheets that the demonstration left open.
const SUBMISSIONS: usize = 120;

/// What was asked for on the command line.
struct Options {
    data: Option<PathBuf>,
    heng: Option<PathBuf>,
    scale: String,
    seconds: u64,
}

fn options() -> Result<Options> {
    let mut options = Options { data: None, heng: None, scale: "1000".to_owned(), seconds: 4 };
    let mut arguments = std::env::args().skip(2);
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--data" => options.data = Some(PathBuf::from(value)),
            "--heng" => options.heng = Some(PathBuf::from(value)),
            "--scale" => options.scale = value,
            "--seconds" => options.seconds = value.parse()?,
            _ => bail!("{name}: there are --data DIR, --heng FILE, --scale APPLICATIONS and --seconds N"),
        }
    }
    Ok(options)
}

pub fn run(root: &Path) -> Result<()> {
    let options = options()?;
    let heng = match &options.heng {
        Some(heng) => heng.clone(),
        None => {
            crate::run("cargo", &["build", "--release", "--package", "heng"], &[])?;
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
            target.join("release/heng")
        }
    };
    let made = std::env::temp_dir().join(format!("heng-bench-{}", std::process::id()));
    let data = options.data.clone().unwrap_or_else(|| made.clone());
    let measured = measure(&heng, &data, &options);
    if options.data.is_none() {
        let _ = std::fs::remove_dir_all(&made);
    }
    measured
}

fn measure(heng: &Path, data: &Path, options: &Options) -> Result<()> {
    if !data.join("heng.sqlite").exists() {
        let begun = Instant::now();
        let status = Command::new(heng)
            .args(["demo", "--no-serve", "--scale", &options.scale, "--data"])
            .arg(data)
            .status()
            .context("cannot run heng")?;
        if !status.success() {
            bail!("the demonstration could not be built");
        }
        println!("demonstration built in {:.1} s", begun.elapsed().as_secs_f64());
    }
    println!("one flush of 4 KB on this disk: {}", flush(data)?);
    for _ in 0..2 {
        drop(Server::start(heng, data)?);
    }
    let server = Server::start(heng, data)?;
    println!(
        "start to first page: {:.2} s (CPU {:.2} s); memory then: {}",
        server.started.as_secs_f64(),
        server.cpu() / 1000.0,
        server.memory()
    );
    load(&server, options)?;
    println!("\nmemory after the load: {}", server.memory());
    Ok(())
}

/// The median and the 99th percentile of a small write with its flush.
fn flush(data: &Path) -> Result<String> {
    let path = data.join("bench.tmp");
    let mut file = std::fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..300 {
        file.write_all(&[7; 4096])?;
        let begun = Instant::now();
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    std::fs::remove_file(&path)?;
    times.sort_unstable();
    Ok(format!("p50 {:.2} ms, p99 {:.2} ms", millis(percentile(&times, 50)), millis(percentile(&times, 99))))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

// ── the server ─────────────────────────────────────────────────────────────────────────────────────────

/// The server under test; it ends with this value.
struct Server {
    process: Child,
    port: u16,
    started: Duration,
}

impl Server {
    fn start(heng: &Path, data: &Path) -> Result<Server> {
        let begun = Instant::now();
        let mut process = Command::new(heng)
            .args(["--lang", "en", "serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run heng")?;
        let output = process.stdout.take().context("no output")?;
        let mut server = Server { process, port: 0, started: Duration::ZERO };
        for line in BufReader::new(output).lines() {
            let line = line?;
            let port = line.split("localhost:").nth(1).and_then(|rest| rest.split('/').next()?.parse().ok());
            if let Some(port) = port {
                server.port = port;
                break;
            }
        }
        let page = Client::connect(server.port)?.get("/", "")?;
        server.started = begun.elapsed();
        if page.status != 200 {
            bail!("the first page answers {}", page.status);
        }
        Ok(server)
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).unwrap_or_default()
    }

    /// Milliseconds of CPU so far, in user and kernel together.
    fn cpu(&self) -> f64 {
        // Fields 14 and 15, counted after the name, which may hold spaces; Linux counts in hundredths of a second.
        let stat = self.proc("stat");
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
    }

    /// Resident memory now and at its highest.
    fn memory(&self) -> String {
        let status = self.proc("status");
        let find = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
        };
        format!("{:.0} MB (highest {:.0} MB)", find("VmRSS:"), find("VmHWM:"))
    }

    fn client(&self, cookie: Option<&str>) -> Result<Client> {
        let mut client = Client::connect(self.port)?;
        client.cookie = cookie.map(str::to_owned);
        Ok(client)
    }

    /// The cookie of an invented person, through the demonstration's door.
    fn enter(&self, subject: &str) -> Result<String> {
        let answer = self.client(None)?.post("/demo/enter", "", &format!("subject={}", encode(subject)))?;
        answer.cookie.with_context(|| format!("{subject} cannot enter: {}", answer.status))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

// ── the load ───────────────────────────────────────────────────────────────────────────────────────────

/// A signed-in expert and the forms that wait for them.
struct Expert {
    cookie: String,
    forms: Vec<String>,
}

/// What one client does again and again: the client, its number, the number of the turn. `None` ends it.
type Turn<'a> = dyn Fn(&mut Client, usize, usize) -> Result<Option<Answer>> + Sync + 'a;

fn load(server: &Server, options: &Options) -> Result<()> {
    let work = scaled(server)?;
    let experts = experts(server, &work)?;
    let officer = server.enter(OFFICER)?;
    let body = sheet(server, &experts)?;
    println!("{} experts with {} open sheets\n", experts.len(), experts.iter().map(|e| e.forms.len()).sum::<usize>());
    println!(
        "{:<34}{:>8}{:>12}{:>10}{:>10}{:>10}{:>8}",
        "", "clients", "requests/s", "CPU ms", "p50 ms", "p99 ms", "failed"
    );
    let expert = |n: usize| experts.get(n % experts.len());
    let cookies: Vec<String> = experts.iter().map(|e| e.cookie.clone()).collect();
    let officers = [officer];
    let nobody: [String; 0] = [];

    let versions: Vec<AtomicUsize> = experts.iter().map(|_| AtomicUsize::new(0)).collect();
    let save = |client: &mut Client, n: usize, _: usize| {
        let (Some(expert), Some(version)) = (expert(n), versions.get(n % versions.len())) else { return Ok(None) };
        let Some(form) = expert.forms.last() else { return Ok(None) };
        let known = version.load(Ordering::Relaxed);
        let form = client.post(form, "Accept: application/json\r\n", &format!("_version={known}&_do=save&{body}"))?;
        let text = form.text();
        let next = text.split("\"version\":").nth(1).and_then(|rest| rest.trim_end_matches('}').parse().ok());
        version.store(next.unwrap_or(known), Ordering::Relaxed);
        Ok(Some(form))
    };
    each(server, options, "save a scorebook's draft", 200, &cookies, None, &save)?;

    // The last form of each expert is for saving.
    let forms: Vec<(usize, &String)> = {
        let most = experts.iter().map(|e| e.forms.len().saturating_sub(1)).max().unwrap_or(0);
        (0..most)
            .flat_map(|turn| {
                experts.iter().enumerate().filter_map(move |(n, e)| Some((n, turn, e.forms.get(..e.forms.len() - 1)?)))
            })
            .filter_map(|(n, turn, forms)| Some((n, forms.get(turn)?)))
            .collect()
    };
    let next = AtomicUsize::new(0);
    let submit = |client: &mut Client, _: usize, _: usize| {
        let Some((n, form)) = forms.get(next.fetch_add(1, Ordering::Relaxed)) else { return Ok(None) };
        client.cookie = expert(*n).map(|e| e.cookie.clone());
        let sent = client.post(form, "", &format!("_do=send&{body}"))?;
        if !sent.location.starts_with("/work/sign/") {
            return Ok(Some(sent));
        }
        client.post(&sent.location, "", "demo=yes").map(Some)
    };
    each(server, options, "submit and sign one (two requests)", 303, &cookies, Some(SUBMISSIONS), &submit)?;

    let get = |path: String, headers: &'static str| {
        move |client: &mut Client, _: usize, _: usize| client.get(&path, headers).map(Some)
    };
    each(server, options, "an expert's own list", 200, &cookies, None, &get(work.clone(), ""))?;
    let page = |client: &mut Client, _: usize, turn: usize| {
        let (state, sort) = ([("", "name"), ("field", "time"), ("out", ""), ("field", "name")])[turn % 4];
        client.get(&format!("{work}/applications?q=&state={state}&sort={sort}&page={}", turn % 20), "").map(Some)
    };
    each(server, options, "the office's list of applications", 200, &officers, None, &page)?;
    let words = encode("食品");
    let search = get(format!("{work}/applications?q={words}"), "");
    each(server, options, "search in that list", 200, &officers, None, &search)?;
    each(
        server,
        options,
        "search in the winners' register",
        200,
        &nobody,
        None,
        &get(format!("/winners?q={words}"), ""),
    )?;
    let edition = work.replacen("/work", "/editions", 1);
    each(server, options, "public page of this edition", 200, &nobody, None, &get(edition, ""))?;
    let finished = "/editions/yunchuan-mayor/2025".to_owned();
    each(server, options, "public page of a finished one", 200, &nobody, None, &get(finished.clone(), ""))?;
    each(server, options, "the same, gzip", 200, &nobody, None, &get(finished, "Accept-Encoding: gzip\r\n"))
}

/// The place of the scaled edition, `/work/programme/edition`, as its officer's list names it.
fn scaled(server: &Server) -> Result<String> {
    let cookie = server.enter(OFFICER)?;
    let page = server.client(Some(&cookie))?.get("/work", "")?.text();
    let found = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut places = found.filter(|href| href.starts_with("/work/yunchuan-scale/"));
    let place = places.next().context("this office has no edition at scale: build it with heng demo --scale 1000")?;
    Ok(place.split('/').take(4).collect::<Vec<_>>().join("/"))
}

/// Experts of the edition who have forms to fill in, up to the greatest number of clients.
fn experts(server: &Server, work: &str) -> Result<Vec<Expert>> {
    let most = CLIENTS.iter().copied().max().unwrap_or(1);
    let mut out = Vec::new();
    for number in 200..400 {
        let cookie = server.enter(&format!("p:{number:04}"))?;
        let page = server.client(Some(&cookie))?.get(work, "")?.text();
        let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let forms: BTreeSet<String> =
            links.filter(|href| href.contains("/score.submitted/")).map(str::to_owned).collect();
        if forms.len() > 1 {
            out.push(Expert { cookie, forms: forms.into_iter().collect() });
        }
        if out.len() == most {
            break;
        }
    }
    if out.is_empty() { bail!("no expert has two sheets left: build another demonstration") } else { Ok(out) }
}

/// A filled-in sheet: each percentage, and a remark of some words for each question, as the form asks them.
fn sheet(server: &Server, experts: &[Expert]) -> Result<String> {
    let expert = experts.first().context("no expert")?;
    let form = expert.forms.first().context("no form")?;
    let page = server.client(Some(&expert.cookie))?.get(form, "")?.text();
    let names = page.split(" name=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let remark = encode("战略部署分解到部门并按季度检查，结果与目标的差距有原因分析和改进措施。");
    let mut seen = BTreeSet::new();
    let pairs: Vec<String> = names
        .filter(|name| !name.starts_with('_') && seen.insert(*name))
        .map(|name| format!("{}={}", encode(name), if name.starts_with("percent:") { "60" } else { &remark }))
        .filter(|pair| pair.contains("%3A") || pair.starts_with("overall"))
        .collect();
    Ok(pairs.join("&"))
}

/// Measures a turn with each number of clients and prints a line for each.
fn each(
    server: &Server,
    options: &Options,
    name: &str,
    good: u16,
    cookies: &[String],
    most: Option<usize>,
    turn: &Turn<'_>,
) -> Result<()> {
    for clients in CLIENTS {
        let done = Mutex::new((Vec::new(), 0));
        let count = AtomicUsize::new(0);
        let limit = Duration::from_secs(options.seconds);
        let (cpu, begun) = (server.cpu(), Instant::now());
        std::thread::scope(|scope| {
            for n in 0..clients {
                let (done, count) = (&done, &count);
                scope.spawn(move || {
                    let (mut times, mut failed) = (Vec::new(), 0);
                    let mut client = server.client(cookies.get(n % cookies.len().max(1)).map(String::as_str));
                    while let Ok(connection) = &mut client
                        && begun.elapsed() < limit
                    {
                        let number = count.fetch_add(1, Ordering::Relaxed);
                        if most.is_some_and(|most| number >= most) {
                            break;
                        }
                        let started = Instant::now();
                        let answer = turn(connection, n, number);
                        match answer {
                            Ok(None) => break,
                            Ok(Some(answer)) if answer.status == good => times.push(started.elapsed()),
                            Ok(Some(_)) => failed += 1,
                            Err(_) => {
                                failed += 1;
                                client = server.client(cookies.get(n % cookies.len().max(1)).map(String::as_str));
                            }
                        }
                    }
                    if let Ok(mut done) = done.lock() {
                        done.0.extend(times);
                        done.1 += failed + usize::from(client.is_err());
                    }
                });
            }
        });
        let (cpu, seconds) = (server.cpu() - cpu, begun.elapsed().as_secs_f64());
        let (mut times, failed) = done.into_inner().unwrap_or_default();
        times.sort_unstable();
        let count = times.len() as f64;
        println!(
            "{:<34}{clients:>8}{:>12.0}{:>10.2}{:>10.2}{:>10.2}{failed:>8}",
            if clients == CLIENTS[0] { name } else { "" },
            count / seconds,
            cpu / count.max(1.0),
            millis(percentile(&times, 50)),
            millis(percentile(&times, 99)),
        );
    }
    Ok(())
}
