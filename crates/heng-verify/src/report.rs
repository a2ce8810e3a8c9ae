//! The report: numbered checks, each with a status, a sentence and its steps, in Chinese or English.

use std::collections::BTreeMap;

use heng_domain::messages::message;
use heng_domain::text::Lang;
use serde::Serialize;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything that is due is right.
    Ok,
    /// A value that the check needs is still sealed, by the rules.
    Sealed,
    /// Something is wrong.
    Failed,
    /// Nothing of the kind has happened in this edition.
    None,
}

/// A sentence: the key in the message files and its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sentence {
    /// Key in the section `verify`.
    pub key: &'static str,
    /// Parameters.
    pub params: BTreeMap<&'static str, String>,
}

impl Sentence {
    /// A sentence without parameters.
    pub fn new(key: &'static str) -> Sentence {
        Sentence { key, params: BTreeMap::new() }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Sentence {
        self.params.insert(name, value.to_string());
        self
    }

    /// The sentence in `lang`.
    pub fn render(&self, lang: Lang) -> String {
        message(lang, "verify", self.key, self.params.iter().map(|(name, value)| (*name, value.as_str())))
    }
}

/// A failure: what was found, in which record or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Number of the record, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// Path of the file, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The log, where the record is not of the edition's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Code of the refusal, where the rules refused the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What is wrong, in both languages.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Most findings that one check lists; more are counted.
const MAX_FINDINGS: usize = 20;

/// One numbered check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Number, `V-01` …
    pub id: &'static str,
    /// Status.
    pub status: Status,
    /// The sentence.
    pub sentence: Sentence,
    /// Steps: what `--explain` prints.
    pub steps: Vec<Sentence>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How many findings there are in all.
    pub found: usize,
}

impl Check {
    /// A check that is right until something is found.
    pub fn new(id: &'static str, sentence: Sentence) -> Check {
        Check { id, status: Status::Ok, sentence, steps: Vec::new(), findings: Vec::new(), found: 0 }
    }

    /// Adds a step.
    pub fn step(&mut self, step: Sentence) {
        self.steps.push(step);
    }

    /// Adds a finding: the check has failed.
    pub fn fail(&mut self, finding: Finding) {
        self.status = Status::Failed;
        self.found += 1;
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// Adds a finding about a file.
    pub fn fail_file(&mut self, file: &str, sentence: &Sentence) {
        self.fail(Finding {
            record: None,
            file: Some(file.to_owned()),
            log: None,
            code: None,
            zh: sentence.render(Lang::Zh),
            en: sentence.render(Lang::En),
        });
    }

    /// Adds a finding about a record of `log` (`None`: the edition's own).
    pub fn fail_record(&mut self, log: Option<&str>, record: u64, sentence: &Sentence) {
        self.fail(Finding {
            record: Some(record),
            file: None,
            log: log.map(str::to_owned),
            code: None,
            zh: sentence.render(Lang::Zh),
            en: sentence.render(Lang::En),
        });
    }

    /// Marks the check as sealed, unless it has failed.
    pub fn seal(&mut self) {
        if self.status != Status::Failed {
            self.status = Status::Sealed;
        }
    }

    /// Marks the check as having nothing to look at, unless it has failed.
    pub fn nothing(&mut self) {
        if self.status == Status::Ok {
            self.status = Status::None;
        }
    }
}

/// The whole report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The edition's log.
    pub origin: String,
    /// Number of records.
    pub records: u64,
    /// Root of the newest checkpoint, hex.
    pub root: String,
    /// Printed root code.
    pub root_code: String,
    /// Checks by number.
    pub checks: Vec<Check>,
}

impl Report {
    /// The check called `id`.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    fn count(&self, status: Status) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }

    /// 0 all due checks OK · 1 failed · 2 only sealed ones are left.
    pub fn exit_code(&self) -> u8 {
        if self.count(Status::Failed) > 0 {
            1
        } else if self.count(Status::Sealed) > 0 {
            2
        } else {
            0
        }
    }

    /// The report as lines of text.
    pub fn render(&self, lang: Lang) -> String {
        let mut out =
            vec![Sentence::new("head").with("origin", &self.origin).with("records", self.records).render(lang)];
        for check in &self.checks {
            out.push(format!(" {} {} {}", check.id, status_word(check.status, lang), check.sentence.render(lang)));
            out.extend(findings(check, lang));
        }
        let key = match self.exit_code() {
            0 => "result_ok",
            1 => "result_failed",
            _ => "result_sealed",
        };
        let result = Sentence::new(key)
            .with("ok", self.count(Status::Ok))
            .with("failed", self.count(Status::Failed))
            .with("sealed", self.count(Status::Sealed));
        out.push(result.render(lang));
        out.push(Sentence::new("code_line").with("code", &self.root_code).render(lang));
        out.push(Sentence::new("cannot_see").render(lang));
        out.join("\n")
    }

    /// One check step by step; `None` for an unknown number.
    pub fn explain(&self, id: &str, lang: Lang) -> Option<String> {
        let check = self.check(id)?;
        let mut out = vec![
            format!("{} {}", check.id, message(lang, "verify", &format!("title_{}", check.id), [])),
            message(lang, "verify", &format!("about_{}", check.id), []),
            format!("{} {}", status_word(check.status, lang).trim_end(), check.sentence.render(lang)),
        ];
        out.extend(check.steps.iter().map(|step| format!("  · {}", step.render(lang))));
        out.extend(findings(check, lang));
        Some(out.join("\n"))
    }
}

fn findings(check: &Check, lang: Lang) -> Vec<String> {
    let mut out: Vec<String> = check
        .findings
        .iter()
        .map(|f| {
            let text = if lang == Lang::Zh { &f.zh } else { &f.en };
            let place = match (&f.record, &f.file, &f.log) {
                (Some(record), _, Some(log)) => {
                    Sentence::new("in_log_record").with("record", record).with("log", log).render(lang)
                }
                (Some(record), _, None) => Sentence::new("in_record").with("record", record).render(lang),
                (None, Some(file), _) => Sentence::new("in_file").with("file", file).render(lang),
                (None, None, _) => String::new(),
            };
            format!("        ✗ {place}{text}")
        })
        .collect();
    if check.found > check.findings.len() {
        let more = check.found - check.findings.len();
        out.push(format!("        {}", Sentence::new("more").with("count", more).render(lang)));
    }
    out
}

/// The status as a word of fixed width.
pub fn status_word(status: Status, lang: Lang) -> String {
    let key = match status {
        Status::Ok => "status_ok",
        Status::Sealed => "status_sealed",
        Status::Failed => "status_failed",
        Status::None => "status_none",
    };
    message(lang, "verify", key, [])
}
