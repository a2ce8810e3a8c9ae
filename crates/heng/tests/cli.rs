//! The binary as people use it: demonstration, bundle, verification, rules files, and what it says when something is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use heng_verify::Bundle;
use serde_json::Value;
use tempfile::TempDir;

fn heng(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heng")).args(args).env_remove("RUST_LOG").stdin(Stdio::null()).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn code(output: &Output, wanted: i32) {
    assert_eq!(output.status.code(), Some(wanted), "stdout: {}\nstderr: {}", out(output), err(output));
}

/// Nothing that a person should never see.
#[track_caller]
fn civil(text: &str) {
    for word in ["panicked", "unwrap", "RUST_BACKTRACE", "refusal.", "verify.", "{"] {
        assert!(!text.contains(word), "{word} in:\n{text}");
    }
}

/// The demonstration, built once, with a bundle of its published edition.
struct Demo {
    _dir: TempDir,
    data: PathBuf,
    bundle: PathBuf,
}

fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("demo");
        code(&heng(&["demo", "--no-serve", "--lang", "en", "--data", data.to_str().unwrap()]), 0);
        let bundle = dir.path().join("bundle.tar");
        let made = heng(&[
            "--lang",
            "en",
            "bundle",
            "--data",
            data.to_str().unwrap(),
            "--edition",
            "2025",
            "--out",
            bundle.to_str().unwrap(),
        ]);
        code(&made, 0);
        Demo { _dir: dir, data, bundle }
    })
}

fn data() -> &'static str {
    demo().data.to_str().unwrap()
}

fn bundle() -> &'static str {
    demo().bundle.to_str().unwrap()
}

/// The bundle's files in a folder.
fn unpacked() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, bytes) in &Bundle::open(&demo().bundle).unwrap().files {
        let file = dir.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    dir
}

// ── demo, editions, doctor ─────────────────────────────────────────────────────────────────────────────

#[test]
fn a_second_demo_in_the_same_folder_changes_nothing() {
    let before = out(&heng(&["editions", "--json", "--data", data()]));
    code(&heng(&["demo", "--no-serve", "--data", data()]), 0);
    assert_eq!(out(&heng(&["editions", "--json", "--data", data()])), before);
}

#[test]
fn a_folder_with_other_files_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("letter.txt"), "mine").unwrap();
    let output = heng(&["--lang", "en", "demo", "--no-serve", "--data", dir.path().to_str().unwrap()]);
    code(&output, 1);
    assert!(err(&output).contains("empty"), "{}", err(&output));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(dir.path().join("letter.txt")).unwrap(), "mine");
}

#[test]
fn editions_are_listed_for_people_and_for_programs() {
    for lang in ["en", "zh"] {
        let output = heng(&["--lang", lang, "editions", "--data", data()]);
        code(&output, 0);
        civil(&out(&output));
        assert!(out(&output).contains("heng.example/yunchuan-mayor/2025"));
    }
    let output = heng(&["editions", "--json", "--data", data()]);
    code(&output, 0);
    let list: Value = serde_json::from_str(&out(&output)).unwrap();
    let list = list.as_array().unwrap();
    assert!(list.len() >= 4);
    let first = list.iter().find(|e| e["log"] == "heng.example/yunchuan-mayor/2025").unwrap();
    assert_eq!((first["published"].as_bool(), first["closed"].as_bool()), (Some(true), Some(true)));
    assert!(list.iter().any(|e| e["published"] == false), "the demonstration has editions under way");
}

#[test]
fn the_doctor_finds_a_sound_office() {
    for lang in ["en", "zh"] {
        let output = heng(&["--lang", lang, "doctor", "--data", data()]);
        code(&output, 0);
        assert!(!out(&output).contains('✗'), "{}", out(&output));
    }
}

#[test]
fn the_doctor_names_a_changed_record() {
    let dir = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(&demo().data).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
    }
    let connection = rusqlite::Connection::open(dir.path().join("heng.sqlite")).unwrap();
    let changed = connection
        .execute("UPDATE record SET bytes = CAST(replace(CAST(bytes AS TEXT), '\"basis\":\"', '\"basis\":\"x') AS BLOB) WHERE seq = 7 AND log LIKE '%/2025'", [])
        .unwrap();
    assert_eq!(changed, 1);
    drop(connection);
    let folder = dir.path().to_str().unwrap();
    let output = heng(&["--lang", "en", "doctor", "--data", folder]);
    code(&output, 1);
    assert!(out(&output).contains('✗') && out(&output).contains("2025"), "{}", out(&output));
    // Nothing of it is served or bundled.
    let refused =
        heng(&["--lang", "en", "bundle", "--data", folder, "--out", dir.path().join("b.tar").to_str().unwrap()]);
    code(&refused, 1);
    assert!(!dir.path().join("b.tar").exists());
}

// ── bundle and verify ──────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_bundle_of_a_published_edition_verifies() {
    for lang in ["en", "zh"] {
        let output = heng(&["--lang", lang, "verify", bundle()]);
        code(&output, 0);
        for id in 0..=24 {
            assert!(out(&output).contains(&format!("V-{id:02}")), "V-{id:02}");
        }
        civil(&out(&output));
    }
    code(&heng(&["verify", "--data", data()]), 0);
}

#[test]
fn the_same_edition_gives_the_same_bundle() {
    let dir = tempfile::tempdir().unwrap();
    let again = dir.path().join("again.tar");
    code(&heng(&["bundle", "--data", data(), "--edition", "2025", "--out", again.to_str().unwrap()]), 0);
    assert!(std::fs::read(again).unwrap() == std::fs::read(&demo().bundle).unwrap());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing half-written is left");
}

#[test]
fn a_check_is_explained_with_its_arithmetic() {
    let output = heng(&["--lang", "en", "verify", bundle(), "--explain", "v-18"]);
    code(&output, 0);
    let text = out(&output);
    assert!(text.starts_with("V-18"), "{text}");
    assert!(text.contains('≥') && text.contains('×'), "{text}");
    civil(&text);
    let chinese = out(&heng(&["--lang", "zh", "verify", bundle(), "--explain", "V-18"]));
    assert!(chinese.contains("云川"), "{chinese}");
    let unknown = heng(&["--lang", "en", "verify", bundle(), "--explain", "V-99"]);
    assert_ne!(unknown.status.code(), Some(0));
    assert!(err(&unknown).contains("V-99"), "{}", err(&unknown));
}

#[test]
fn a_report_can_be_read_by_programs() {
    let output = heng(&["verify", bundle(), "--json"]);
    code(&output, 0);
    let value: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(value["exit_code"], 0);
    assert_eq!(value["report"]["checks"].as_array().unwrap().len(), 25);
    assert_eq!(value["report"]["origin"], "heng.example/yunchuan-mayor/2025");
}

#[test]
fn a_root_code_is_checked() {
    let report: Value = serde_json::from_str(&out(&heng(&["verify", bundle(), "--json"]))).unwrap();
    let root_code = report["report"]["root_code"].as_str().unwrap().to_owned();
    code(&heng(&["verify", bundle(), "--code", &root_code]), 0);
    let short = heng(&["--lang", "en", "verify", bundle(), "--code", &root_code[..9]]);
    code(&short, 1);
    assert!(out(&short).contains("short"), "{}", out(&short));
    let last = if root_code.ends_with('7') { "8" } else { "7" };
    let other = format!("{}{last}", &root_code[..root_code.len() - 1]);
    code(&heng(&["verify", bundle(), "--code", &other]), 1);
    code(&heng(&["verify", bundle(), "--against", bundle()]), 0);
}

#[test]
fn an_unpacked_bundle_verifies_and_a_changed_byte_is_named() {
    let dir = unpacked();
    let folder = dir.path().to_str().unwrap();
    code(&heng(&["verify", folder]), 0);

    let entries = dir.path().join("tile/entries/000");
    let mut bytes = std::fs::read(&entries).unwrap();
    // Somewhere in record 0, then in the last record of the file.
    for (at, record) in [(30, 0), (bytes.len() - 5, 255)] {
        bytes[at] ^= 1;
        std::fs::write(&entries, &bytes).unwrap();
        let output = heng(&["--lang", "en", "verify", folder]);
        code(&output, 1);
        assert!(out(&output).contains(&format!("record {record}")), "{}", out(&output));
        assert!(out(&output).contains("tile/entries/000"), "{}", out(&output));
        bytes[at] ^= 1;
    }
    std::fs::write(&entries, &bytes).unwrap();

    let result = dir.path().join("result.json");
    let mut text = std::fs::read(&result).unwrap();
    text[20] ^= 1;
    std::fs::write(&result, &text).unwrap();
    let output = heng(&["--lang", "zh", "verify", folder]);
    code(&output, 1);
    assert!(out(&output).contains("result.json"), "{}", out(&output));
}

#[test]
fn what_is_no_bundle_is_unreadable() {
    let dir = tempfile::tempdir().unwrap();
    let garbage = dir.path().join("garbage.tar");
    std::fs::write(&garbage, "<html>not found</html>").unwrap();
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let missing = dir.path().join("missing.tar");
    for path in [&garbage, &empty, &missing] {
        for lang in ["en", "zh"] {
            let output = heng(&["--lang", lang, "verify", path.to_str().unwrap()]);
            code(&output, 3);
            assert!(!err(&output).is_empty());
            civil(&err(&output));
        }
    }
    let output = heng(&["--lang", "en", "verify", bundle(), "--against", garbage.to_str().unwrap()]);
    assert!(matches!(output.status.code(), Some(1 | 3)), "{}", err(&output));
}

#[test]
fn an_edition_that_is_not_published_has_no_bundle() {
    let list: Value = serde_json::from_str(&out(&heng(&["editions", "--json", "--data", data()]))).unwrap();
    let hidden = list.as_array().unwrap().iter().find(|e| e["published"] == false).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("b.tar");
    let log = hidden["log"].as_str().unwrap();
    let output = heng(&["--lang", "en", "bundle", "--data", data(), "--edition", log, "--out", path.to_str().unwrap()]);
    code(&output, 1);
    assert!(err(&output).contains("notice"), "{}", err(&output));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    let unknown =
        heng(&["--lang", "en", "bundle", "--data", data(), "--edition", "1999", "--out", path.to_str().unwrap()]);
    code(&unknown, 1);
    assert!(err(&unknown).contains("1999"), "{}", err(&unknown));
}

#[test]
fn a_bundle_that_cannot_be_written_says_where() {
    let output = heng(&["--lang", "en", "bundle", "--data", data(), "--out", "/no/such/folder/b.tar"]);
    code(&output, 1);
    assert!(err(&output).contains("/no/such/folder"), "{}", err(&output));
}

#[test]
fn a_folder_without_an_office_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    for args in [["editions", "--data", folder], ["doctor", "--data", folder], ["verify", "--data", folder]] {
        let output = heng(&args);
        assert_ne!(output.status.code(), Some(0), "{args:?}");
        assert!(err(&output).contains(folder), "{}", err(&output));
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "looking makes no files");
    assert_ne!(heng(&["editions"]).status.code(), Some(0));
}

// ── init ───────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_office_is_founded_once_by_two_officers() {
    let dir = tempfile::tempdir().unwrap();
    let (data, keys) = (dir.path().join("office"), dir.path().join("keys"));
    let init = |officers: &[&str]| {
        let mut args = vec![
            "--lang",
            "en",
            "init",
            "--data",
            data.to_str().unwrap(),
            "--log",
            "q.example/office",
            "--name-zh",
            "质量办",
            "--name-en",
            "Quality Office",
            "--officer-keys",
            keys.to_str().unwrap(),
        ];
        for officer in officers {
            args.extend(["--officer", officer]);
        }
        heng(&args)
    };
    let alone = init(&["甲"]);
    code(&alone, 1);
    assert!(err(&alone).contains("two"), "{}", err(&alone));
    let founded = init(&["甲", "乙"]);
    code(&founded, 0);
    let links = out(&founded).lines().filter(|line| line.contains("http://localhost:8080/invitations/")).count();
    assert_eq!(links, 2, "{}", out(&founded));
    let invite = |person: &str| {
        let site = "https://award.example";
        heng(&["--lang", "en", "invite", "--data", data.to_str().unwrap(), "--person", person, "--site", site])
    };
    let invited = invite("p:0002");
    code(&invited, 0);
    assert!(out(&invited).contains("乙 (p:0002)"), "{}", out(&invited));
    assert!(out(&invited).contains("https://award.example/invitations/"), "{}", out(&invited));
    code(&invite("p:0099"), 1);
    // Beside a running server, which holds this file, nothing is done and the way out is said.
    let server = std::fs::File::options().append(true).open(data.join("heng.lock")).unwrap();
    server.lock().unwrap();
    let busy = invite("p:0002");
    code(&busy, 1);
    civil(&err(&busy));
    assert!(err(&busy).contains("in use by a running server"), "{}", err(&busy));
    drop(server);
    code(&invite("p:0002"), 0);
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for file in std::fs::read_dir(&keys).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        let path = file.unwrap().path();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        kept.push(std::fs::read(path).unwrap());
    }
    assert_eq!(kept.len(), 2);
    assert_ne!(kept[0], kept[1]);
    code(&init(&["丙", "丁"]), 1);
    code(&heng(&["doctor", "--data", data.to_str().unwrap()]), 0);
}

// ── rules and simulation ───────────────────────────────────────────────────────────────────────────────

fn rules_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/programmes/zhumadian.toml")
}

#[test]
fn sound_rules_are_called_sound() {
    for lang in ["en", "zh"] {
        let output = heng(&["--lang", lang, "rules", "check", rules_file().to_str().unwrap()]);
        code(&output, 0);
        civil(&out(&output));
        assert!(out(&output).contains("2016.1"), "{}", out(&output));
    }
}

/// A wrong rules file: which file, which key, what is wrong.
#[test]
fn a_wrong_rules_file_is_named_with_key_and_fault() {
    let text = std::fs::read_to_string(rules_file()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let changes: [(&str, &str, &str, &[&str]); 8] = [
        ("unknown key", "version = \"2016.1\"", "version = \"2016.1\"\nsurprise = 3", &["surprise", "unknown"]),
        ("missing key", "version = \"2016.1\"\n", "", &["version", "missing"]),
        (
            "wrong kind",
            "report_chars = { value = 50000,",
            "report_chars = { value = \"many\",",
            &["report_chars", "many"],
        ),
        ("wrong number", "size_min = { value = 10,", "size_min = { value = 40,", &["size_min", "size_max"]),
        ("wrong sum", "weight = { value = 40,", "weight = { value = 70,", &["weight", "130"]),
        ("wrong fraction", "num = 2, den = 3", "num = 3, den = 2", &["quorum", "above 1"]),
        ("wrong reference", "from = \"documents\"", "from = \"nowhere\"", &["nowhere"]),
        ("no TOML", "[document]", "[document", &["document"]),
    ];
    for (what, from, to, words) in changes {
        assert!(text.contains(from), "{what}");
        let path = dir.path().join("rules.toml");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let output = heng(&["--lang", "en", "rules", "check", path.to_str().unwrap()]);
        code(&output, 1);
        let said = err(&output);
        assert!(said.contains("rules.toml"), "{what}: {said}");
        for word in words {
            assert!(said.contains(word), "{what}: {word} is not in: {said}");
        }
    }
}

/// Nobody can be drawn into a panel of none.
#[test]
fn a_panel_of_nobody_is_refused() {
    let text = std::fs::read_to_string(rules_file()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rules.toml");
    std::fs::write(&path, text.replacen("panel_size = { value = 5,", "panel_size = { value = 0,", 1)).unwrap();
    let output = heng(&["--lang", "en", "rules", "check", path.to_str().unwrap()]);
    code(&output, 1);
    assert!(err(&output).contains("panel_size"), "{}", err(&output));
}

#[test]
fn rules_without_a_stage_that_others_need_are_refused() {
    let text = std::fs::read_to_string(rules_file()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for stage in ["documents", "call", "committee"] {
        let from = text.find(&format!("[[stages]]\nid = \"{stage}\"")).unwrap();
        let until = text[from + 5..].find("[[stages]]").map(|n| from + 5 + n).unwrap();
        let path = dir.path().join(format!("without-{stage}.toml"));
        std::fs::write(&path, format!("{}{}", &text[..from], &text[until..])).unwrap();
        let output = heng(&["--lang", "en", "rules", "check", path.to_str().unwrap()]);
        if stage == "committee" {
            // Without a vote the ranking chooses: that is a rule too.
            continue;
        }
        code(&output, 1);
        assert!(err(&output).contains(&format!("without-{stage}.toml")), "{}", err(&output));
        assert!(err(&output).contains(stage), "{stage}: {}", err(&output));
    }
    let missing = heng(&["--lang", "en", "rules", "check", dir.path().join("none.toml").to_str().unwrap()]);
    assert_ne!(missing.status.code(), Some(0));
    assert!(err(&missing).contains("none.toml"), "{}", err(&missing));
}

#[test]
fn a_simulation_repeats_itself_for_a_seed() {
    let file = rules_file();
    let run = |seed: &str| {
        let output = heng(&["simulate", file.to_str().unwrap(), "--seed", seed, "--applicants", "12", "--json"]);
        code(&output, 0);
        out(&output)
    };
    let one = run("5");
    assert_eq!(one, run("5"));
    assert_ne!(one, run("6"));
    let value: Value = serde_json::from_str(&one).unwrap();
    assert_eq!(value["exit_code"], 0);
    assert!(!value["result"]["winners"].as_array().unwrap().is_empty());
    let text = heng(&["--lang", "zh", "simulate", file.to_str().unwrap(), "--applicants", "9"]);
    code(&text, 0);
    assert!(out(&text).contains("V-18"));
}

#[test]
fn a_simulation_with_too_few_experts_says_what_to_do() {
    let output = heng(&["--lang", "en", "simulate", rules_file().to_str().unwrap(), "--experts", "3"]);
    code(&output, 1);
    assert!(err(&output).contains("--experts"), "{}", err(&output));
}

#[test]
fn the_version_and_the_help_are_there() {
    let version = heng(&["--version"]);
    code(&version, 0);
    assert!(out(&version).starts_with("heng "));
    let help = heng(&["--help"]);
    code(&help, 0);
    for command in ["demo", "serve", "init", "invite", "editions", "bundle", "verify", "rules", "simulate", "doctor"] {
        assert!(out(&help).contains(command), "{command}");
    }
}
