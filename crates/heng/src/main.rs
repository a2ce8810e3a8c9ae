//! `heng`: serve, demo, bundle, verify, simulate, doctor. Thin: each command calls one room of the house.

mod commands;
mod data;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The open platform on which a city runs its quality award, so that anyone can check the result.
#[derive(Parser)]
#[command(name = "heng", version, about, max_term_width = 100)]
struct Cli {
    /// Language of messages.
    #[arg(long, global = true, value_enum)]
    lang: Option<Language>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// 中文
    Zh,
    /// English
    En,
}

/// Where the office's data are.
#[derive(Args, Clone)]
pub(crate) struct Where {
    /// Folder with the embedded database and the keys.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// PostgreSQL address instead of the embedded database.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    database: Option<String>,
    /// Folder of the key files when --database is used.
    #[arg(long, value_name = "DIR", default_value = "heng-keys", requires = "database")]
    keys: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Build a demonstration office with invented firms and people, and serve it.
    Demo {
        /// Folder for the demonstration; must be empty or hold one.
        #[arg(long, value_name = "DIR", default_value = "demo-data")]
        data: PathBuf,
        /// Also make an edition of so many applications, a fifth as many experts and five times as many scorebooks, to
        /// measure speed with.
        #[arg(long, value_name = "APPLICATIONS", value_parser = clap::value_parser!(u16).range(100..=9999))]
        scale: Option<u16>,
        /// Address to listen at.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
        listen: String,
        /// Build only, do not serve.
        #[arg(long)]
        no_serve: bool,
        /// Address under which browsers reach it, e.g. https://award.example; passkeys belong to its host.
        #[arg(long, value_name = "URL")]
        site: Option<String>,
    },
    /// Serve an office.
    Serve {
        #[command(flatten)]
        place: Where,
        /// Address to listen at.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
        listen: String,
        /// Address under which browsers reach it, e.g. https://award.example; passkeys belong to its host.
        #[arg(long, value_name = "URL")]
        site: Option<String>,
        /// Settings file (TOML): how people are told; see docs/operations.md.
        #[arg(long, value_name = "FILE")]
        settings: Option<PathBuf>,
        /// Where to report a security hole, as /.well-known/security.txt says: mailto:… or https://….
        #[arg(long, value_name = "URI")]
        security_contact: Option<String>,
    },
    /// Found an office: its first two officers' keys are written to files for them to keep.
    Init {
        #[command(flatten)]
        place: Where,
        /// Name of the office's log: a domain and a path, e.g. quality.example.gov/office.
        #[arg(long)]
        log: String,
        /// Chinese name of the office.
        #[arg(long)]
        name_zh: String,
        /// English name of the office.
        #[arg(long)]
        name_en: String,
        /// Name of an officer; give it twice.
        #[arg(long = "officer", required = true, num_args = 1)]
        officers: Vec<String>,
        /// Folder for the officers' private keys.
        #[arg(long, value_name = "DIR", default_value = "officer-keys")]
        officer_keys: PathBuf,
        /// Address under which browsers reach it, for the officers' invitation links; http://localhost:8080 if left out.
        #[arg(long, value_name = "URL")]
        site: Option<String>,
    },
    /// Print an invitation link for somebody who is registered and has no account that works. Not while a server runs.
    Invite {
        #[command(flatten)]
        place: Where,
        /// Whom: the number in the office log, e.g. p:0001.
        #[arg(long)]
        person: String,
        /// Name, if it is not public in the office log.
        #[arg(long)]
        name: Option<String>,
        /// E-mail address: where notices go, and the name for signing in with a password.
        #[arg(long)]
        email: Option<String>,
        /// Address under which browsers reach it; http://localhost:8080 if left out.
        #[arg(long, value_name = "URL")]
        site: Option<String>,
    },
    /// List the editions.
    Editions {
        #[command(flatten)]
        place: Where,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write the bundle of an edition, with which anyone can check it.
    Bundle {
        #[command(flatten)]
        place: Where,
        /// Edition; without it the newest published one.
        #[arg(long, value_name = "ID")]
        edition: Option<String>,
        /// File to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// For whom.
        #[arg(long, value_enum, default_value = "public")]
        tier: Tier,
    },
    /// Check a bundle, or the data of an office. Exit code: 0 all due checks OK, 1 failed, 2 sealed, 3 unreadable.
    Verify {
        /// Bundle: a tar, or the folder it was unpacked to.
        #[arg(value_name = "BUNDLE", required_unless_present = "data", conflicts_with = "data")]
        bundle: Option<PathBuf>,
        /// Data of an office instead: its newest published edition.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Explain one check step by step, e.g. V-18.
        #[arg(long, value_name = "V-NN")]
        explain: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Root code as printed in a notice or photographed from the screen.
        #[arg(long)]
        code: Option<String>,
        /// Older bundle of the same edition, to find a rewritten history.
        #[arg(long, value_name = "BUNDLE")]
        against: Option<PathBuf>,
    },
    /// Rules of a programme.
    Rules {
        #[command(subcommand)]
        command: RulesCommand,
    },
    /// Run a whole edition with invented actors, in memory.
    Simulate {
        /// Rules file.
        #[arg(value_name = "RULES.toml")]
        rules: PathBuf,
        /// Number of applicants.
        #[arg(long, default_value_t = 21)]
        applicants: usize,
        /// Number of experts.
        #[arg(long, default_value_t = 40)]
        experts: usize,
        /// Seed: the same seed gives the same edition.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Look at the data of an office and say what is wrong, without changing anything.
    Doctor {
        #[command(flatten)]
        place: Where,
    },
}

#[derive(Subcommand)]
enum RulesCommand {
    /// Check a rules file: every problem with its key.
    Check {
        /// Rules file.
        file: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Tier {
    /// For everybody.
    Public,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let lang = terminal::language(cli.lang.map(|l| match l {
        Language::Zh => heng_domain::text::Lang::Zh,
        Language::En => heng_domain::text::Lang::En,
    }));
    // tower-http names the addresses of requests, and the address of an invitation is its secret.
    let wanted = std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned());
    let filter = tracing_subscriber::EnvFilter::builder().parse_lossy(format!("{wanted},tower_http=off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let result = match cli.command {
        Command::Demo { data, scale, listen, no_serve, site } => {
            commands::demo(&data, scale.map(usize::from), &listen, no_serve, site.as_deref(), lang)
        }
        Command::Serve { place, listen, site, settings, security_contact } => {
            let (site, settings) = (site.as_deref(), settings.as_deref());
            commands::serve(&place, &commands::Serving { listen: &listen, site, settings, security_contact }, lang)
        }
        Command::Init { place, log, name_zh, name_en, officers, officer_keys, site } => {
            commands::init(&place, &log, (&name_zh, &name_en), &officers, &officer_keys, site.as_deref(), lang)
        }
        Command::Invite { place, person, name, email, site } => {
            commands::invite(&place, &person, name.as_deref(), email.as_deref(), site.as_deref(), lang)
        }
        Command::Editions { place, json } => commands::editions(&place, json, lang),
        Command::Bundle { place, edition, out, tier: Tier::Public } => {
            commands::bundle(&place, edition.as_deref(), &out, lang)
        }
        Command::Verify { bundle, data, explain, json, code, against } => {
            let request = commands::VerifyRequest { bundle, data, explain, json, code, against };
            commands::verify(&request, lang)
        }
        Command::Rules { command: RulesCommand::Check { file } } => commands::rules_check(&file, lang),
        Command::Simulate { rules, applicants, experts, seed, json } => {
            commands::simulate(&rules, heng_app::simulation::Size { applicants, experts, seed }, json, lang)
        }
        Command::Doctor { place } => commands::doctor(&place, lang),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("heng: {}", terminal::sentence(&error, lang));
            ExitCode::from(terminal::exit_code(&error))
        }
    }
}
