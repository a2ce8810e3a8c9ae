//! The house keeps its own order: `cargo xtask test`, `tidy`, `bench`, `bench-web`.

mod bench_web;
mod http;
mod messages;
mod postgres;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

const HELP: &str = "cargo xtask test    all tests, on both databases and in a browser; installs what it needs
cargo xtask tidy    the rules of the house: arrows, pure crates, messages
cargo xtask browser only the browser tests
cargo xtask api     only the tests of the JSON interface
cargo xtask bench   benchmarks; prints, asserts nothing

cargo xtask bench-web [--data DIR] [--heng FILE] [--scale N] [--seconds N]
                    the release binary under load, with 1000 applications; prints, asserts nothing";

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let done = match task.as_str() {
        "test" => test(),
        "tidy" => tidy::check(&root()),
        "browser" => browser(),
        "api" => api(),
        "bench" => bench(),
        "bench-web" => bench_web::run(&root()),
        _ => {
            println!("{HELP}");
            return ExitCode::from(u8::from(!task.is_empty()));
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Runs a command in the workspace and fails if it does.
fn run(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    println!("\n$ {program} {}", arguments.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    if status.success() { Ok(()) } else { bail!("{program} {} failed", arguments.join(" ")) }
}

fn test() -> Result<()> {
    run("cargo", &["fmt", "--all", "--check"], &[])?;
    tidy::check(&root())?;
    run("cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])?;
    packages(&[("node", "nodejs"), ("npm", "npm")])?;
    run("npm", &["ci", "--prefix", "tests/oidc", "--no-audit", "--no-fund"], &[])?;
    let cluster = postgres::Cluster::start()?;
    run("cargo", &["test", "--workspace"], &[("HENG_TEST_POSTGRES", cluster.url())])?;
    drop(cluster);
    browser()?;
    api()
}

fn have(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("command -v {program} >/dev/null 2>&1")])
        .status()
        .is_ok_and(|s| s.success())
}

/// Installs Debian packages that are missing.
fn packages(programs: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> =
        programs.iter().filter(|(program, _)| !have(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    install(&missing)
}

fn install(packages: &[&str]) -> Result<()> {
    run("apt-get", &["update", "-q"], &[])?;
    let arguments = [&["install", "-y", "-q", "--no-install-recommends"], packages].concat();
    run("apt-get", &arguments, &[("DEBIAN_FRONTEND", "noninteractive")])
}

fn browser() -> Result<()> {
    packages(&[("chromium", "chromium"), ("node", "nodejs"), ("npm", "npm"), ("pdftotext", "poppler-utils")])?;
    // As one build of the workspace, so that nothing is compiled twice with other features.
    run("cargo", &["build", "--workspace", "--bin", "heng", "--example", "rehearsal", "--example", "paper"], &[])?;
    for folder in ["tests/browser", "tests/oidc"] {
        run("npm", &["ci", "--prefix", folder, "--no-audit", "--no-fund"], &[])?;
    }
    run("node", &["--test", "tests/browser/"], &[])
}

/// The JSON interface against what docs/openapi.json says of it.
fn api() -> Result<()> {
    packages(&[("python3", "python3")])?;
    // Debian ships what a virtual environment needs apart.
    if run("python3", &["-c", "import ensurepip, venv"], &[]).is_err() {
        install(&["python3-venv"]).context("tests/api needs the package python3-venv")?;
    }
    run("cargo", &["build", "--workspace", "--bin", "heng"], &[])?;
    run("python3", &["tests/api/run.py"], &[])
}

fn bench() -> Result<()> {
    run("cargo", &["bench", "--workspace"], &[])
}
