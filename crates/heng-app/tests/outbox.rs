//! Messages, sent for real: to a mail server and to a web-hook on this machine, in clear and over TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heng_app::account::Language;
use heng_app::outbox::{Delivery, MessageId, Obstacle, Outbox, OutboxConfig, OutboxError, State, Template, To};
use heng_app::{Clock, ManualClock};
use heng_domain::text::Lang;
use heng_domain::time::Instant;
use heng_store::{DataKey, SqliteStore, Store};

const LINK: &str = "https://heng.example/work";

fn start() -> Instant {
    Instant::parse("2026-05-01T08:00:00.000Z").unwrap()
}

fn minutes(number: i64) -> Instant {
    start().plus_millis(number * 60_000).unwrap()
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A certificate for `localhost`, and the file that a client trusts.
#[derive(Clone)]
struct Tls {
    config: Arc<rustls::ServerConfig>,
    ca_file: PathBuf,
    _dir: Arc<tempfile::TempDir>,
}

impl Tls {
    fn new() -> Tls {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let ca_file = dir.path().join("ca.pem");
        std::fs::write(&ca_file, made.cert.pem()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Tls { config: Arc::new(config), ca_file, _dir: Arc::new(dir) }
    }

    fn accept(&self, stream: TcpStream) -> Box<dyn Stream> {
        let connection = rustls::ServerConnection::new(Arc::clone(&self.config)).unwrap();
        Box::new(rustls::StreamOwned::new(connection, stream))
    }
}

/// One line without its end; nothing at the end of the stream.
fn line(stream: &mut dyn Stream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    loop {
        match stream.read(&mut byte) {
            Ok(1) if byte[0] == b'\n' => break,
            Ok(1) => bytes.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned())
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Plain,
    Starttls,
    Wrapped,
}

#[derive(Clone, Debug)]
struct Received {
    to: String,
    data: String,
    secure: bool,
    login: Option<String>,
}

/// A mail server. Addresses that begin with `no` are refused, with `busy` put off; it wants no login but `right`.
struct MailServer {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

fn serve(port: u16, mut each: impl FnMut(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            each(stream);
        }
    });
    port
}

/// A port where nobody listens.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl MailServer {
    fn start(mode: Mode, tls: Option<Tls>) -> MailServer {
        MailServer::start_at(0, mode, tls)
    }

    fn start_at(port: u16, mode: Mode, tls: Option<Tls>) -> MailServer {
        let received = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&received);
        let port = serve(port, move |stream| talk(stream, mode, tls.as_ref(), &into));
        MailServer { port, received }
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn talk(tcp: TcpStream, mode: Mode, tls: Option<&Tls>, into: &Mutex<Vec<Received>>) {
    let raw = tcp.try_clone().unwrap();
    let mut secure = mode == Mode::Wrapped;
    let mut stream: Box<dyn Stream> = if secure { tls.unwrap().accept(tcp) } else { Box::new(tcp) };
    let mut login = None;
    let mut to = String::new();
    if stream.write_all(b"220 test\r\n").is_err() {
        return;
    }
    while let Some(command) = line(&mut *stream) {
        let answer = match command.split(' ').next().unwrap_or_default() {
            "EHLO" if mode == Mode::Starttls && !secure => "250-test\r\n250 STARTTLS".to_owned(),
            "EHLO" => "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN".to_owned(),
            "STARTTLS" => {
                stream.write_all(b"220 go\r\n").unwrap();
                stream = tls.unwrap().accept(raw.try_clone().unwrap());
                secure = true;
                continue;
            }
            // base64 of `\0office\0right password`
            "AUTH" if command == "AUTH PLAIN AG9mZmljZQByaWdodCBwYXNzd29yZA==" => {
                login = Some("office".to_owned());
                "235 yes".to_owned()
            }
            "AUTH" => "535 5.7.8 who are you".to_owned(),
            "RCPT" => {
                to = command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                match &to {
                    to if to.starts_with("no") => format!("550 5.1.1 <{to}> unknown here"),
                    to if to.starts_with("busy") => "451 4.7.1 come back".to_owned(),
                    _ => "250 yes".to_owned(),
                }
            }
            "DATA" => {
                stream.write_all(b"354 go\r\n").unwrap();
                let mut data = String::new();
                while let Some(text) = line(&mut *stream).filter(|text| text != ".") {
                    data.push_str(&text);
                    data.push('\n');
                }
                into.lock().unwrap().push(Received { to: to.clone(), data, secure, login: login.clone() });
                "250 kept".to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "250 yes".to_owned(),
        };
        if stream.write_all(format!("{answer}\r\n").as_bytes()).is_err() {
            return;
        }
    }
}

/// A request that the web-hook got: its head and its body.
type Request = (String, String);

/// A server that answers each request with the next of its answers, the last one again and again.
fn hook_server(answers: Vec<String>, tls: Option<Tls>) -> (u16, Arc<Mutex<Vec<Request>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&requests);
    let mut answers = answers.into_iter().peekable();
    let port = serve(0, move |tcp| {
        let mut stream: Box<dyn Stream> = match &tls {
            Some(tls) => tls.accept(tcp),
            None => Box::new(tcp),
        };
        let mut head = String::new();
        while let Some(text) = line(&mut *stream).filter(|text| !text.is_empty()) {
            head.push_str(&text);
            head.push('\n');
        }
        let header = |name: &str| {
            let found = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            found.unwrap_or_default().to_owned()
        };
        let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
        if head.is_empty() || stream.read_exact(&mut body).is_err() {
            return;
        }
        into.lock().unwrap().push((head, String::from_utf8(body).unwrap()));
        let answer = answers.next().unwrap();
        if answers.peek().is_none() {
            // The last one stays.
            let again = answer.clone();
            let _ = stream.write_all(again.as_bytes());
            let _ = stream.flush();
            answers = vec![again].into_iter().peekable();
            return;
        }
        let _ = stream.write_all(answer.as_bytes());
        let _ = stream.flush();
    });
    (port, requests)
}

fn answer(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
}

struct Office {
    outbox: Arc<Outbox>,
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
}

fn try_office(config: &str) -> Result<Office, OutboxError> {
    let config: OutboxConfig =
        serde_json::from_value(serde_json::to_value(config.parse::<toml::Table>().unwrap()).unwrap()).unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory(DataKey::from_bytes([7; 32])).unwrap());
    let clock = Arc::new(ManualClock::at(start()));
    let outbox = Arc::new(Outbox::new(Arc::clone(&store), Arc::clone(&clock) as Arc<dyn Clock>, &config)?);
    Ok(Office { outbox, store, clock })
}

fn office(config: &str) -> Office {
    try_office(&format!("base_url = \"https://heng.example\"\n{config}")).unwrap_or_else(|error| panic!("{error}"))
}

fn plain_mail(port: u16) -> String {
    format!(
        "[mail]\nhost = \"localhost\"\nport = {port}\nsecurity = \"none\"\nfrom = \"质量奖办公室 <award@heng.example>\"\nreply_to = \"help@heng.example\"\n"
    )
}

fn plain_hook(port: u16) -> String {
    format!(
        "[hook]\nurl = \"http://localhost:{port}/sms\"\nsecret = \"a secret of the hook\"\nhttp_on_loopback = true\ntimeout_seconds = 2\n"
    )
}

fn remind(office: &Office, key: &str, to: &To) -> Result<MessageId, OutboxError> {
    let params = [("office", "质量奖办公室"), ("edition", "第五届"), ("due", "5月9日"), ("link", LINK)];
    office.outbox.put(key, to, Language::ZhHans, Template::TaskDue, &params, None)
}

fn mail(address: &str) -> To {
    To::Mail(address.to_owned())
}

fn phone() -> To {
    To::Phone("13800000000".to_owned())
}

fn round(office: &Office, now: Instant) -> (usize, usize, usize) {
    office.clock.set(now);
    let Delivery { sent, failed, given_up } = office.outbox.deliver_due(now).unwrap();
    (sent, failed, given_up)
}

fn state(office: &Office, id: &MessageId) -> State {
    office.outbox.message(id).unwrap().state
}

/// The text of a mail, decoded.
fn text(data: &str) -> String {
    let (head, body) = data.split_once("\n\n").unwrap();
    if head.to_lowercase().contains("content-transfer-encoding: base64") {
        use base64::Engine;
        let bytes = base64::engine::general_purpose::STANDARD.decode(body.replace('\n', "")).unwrap();
        return String::from_utf8(bytes).unwrap();
    }
    if !head.to_lowercase().contains("content-transfer-encoding: quoted-printable") {
        return body.to_owned();
    }
    let mut parts = body.replace("=\n", "").split('=').map(str::to_owned).collect::<Vec<_>>().into_iter();
    let mut bytes = parts.next().unwrap().into_bytes();
    for part in parts {
        let (code, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).unwrap());
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_message_waits_leaves_once_and_says_nothing_afterwards() {
    let server = MailServer::start(Mode::Plain, None);
    let office = office(&plain_mail(server.port));
    let id = remind(&office, "due/1", &mail("li@firm.example")).unwrap();
    assert_eq!(remind(&office, "due/1", &mail("li@firm.example")).unwrap(), id, "the same key puts nothing");
    assert_eq!(state(&office, &id), State::Waiting { due: minutes(2) });
    let shown = office.outbox.message(&id).unwrap().words.unwrap();
    assert_eq!(shown.subject, "提醒：第五届有事项待您办理");
    assert!(shown.body.contains('…') && !shown.body.contains(LINK), "a link may be a key: it is not shown");
    assert_eq!(round(&office, minutes(1)), (0, 0, 0));
    assert_eq!(round(&office, minutes(2)), (1, 0, 0));
    assert_eq!(round(&office, minutes(2)), (0, 0, 0));
    assert_eq!(remind(&office, "due/1", &mail("li@firm.example")).unwrap(), id);
    assert_eq!(round(&office, minutes(60)), (0, 0, 0));

    let received = server.received();
    assert_eq!(received.len(), 1);
    let data = &received[0].data;
    assert_eq!(received[0].to, "li@firm.example");
    assert!(text(data).contains(LINK) && text(data).contains("5月9日"), "{}", text(data));
    for header in [
        format!("Message-ID: <{}@heng.example>", id.as_str()),
        "Auto-Submitted: auto-generated".to_owned(),
        "To: li@firm.example".to_owned(),
        "Reply-To: help@heng.example".to_owned(),
        "Date: Fri, 01 May 2026 08:02:00 +0000".to_owned(),
        "Content-Type: text/plain; charset=utf-8".to_owned(),
    ] {
        assert!(data.contains(&format!("{header}\n")), "{header}\n{data}");
    }
    let left = office.outbox.message(&id).unwrap();
    assert_eq!((left.state, left.words, left.text.as_str()), (State::Sent { at: minutes(2) }, None, "mail_task_due"));
    let row = office.store.row("outbox", id.as_str()).unwrap().unwrap();
    assert!(!String::from_utf8(row).unwrap().contains("heng.example/work"), "what it said is deleted");

    // After its time it is forgotten.
    round(&office, start().plus_days(90).unwrap());
    assert_eq!(office.outbox.messages().unwrap().len(), 1);
    round(&office, start().plus_days(91).unwrap());
    assert!(office.outbox.messages().unwrap().is_empty());
}

#[test]
fn a_bulk_act_can_be_taken_back_until_it_leaves() {
    let server = MailServer::start(Mode::Plain, None);
    let office = office(&plain_mail(server.port));
    let ids: Vec<_> =
        (0..5).map(|n| remind(&office, &format!("due/{n}"), &mail(&format!("p{n}@firm.example"))).unwrap()).collect();
    let later = office.outbox.put(
        "later",
        &mail("later@firm.example"),
        Language::En,
        Template::PrizePaid,
        &[("office", "Office"), ("edition", "2026"), ("link", LINK)],
        Some(minutes(30)),
    );
    let later = later.unwrap();
    for id in &ids[1..] {
        office.outbox.withdraw(id).unwrap();
        office.outbox.withdraw(id).unwrap();
    }
    assert_eq!(round(&office, minutes(10)), (1, 0, 0));
    assert_eq!(state(&office, &later), State::Waiting { due: minutes(30) });
    assert!(matches!(office.outbox.withdraw(&ids[0]), Err(OutboxError::Gone)));
    assert!(matches!(office.outbox.retry(&ids[0]), Err(OutboxError::Gone)));
    assert!(matches!(office.outbox.retry(&ids[1]), Err(OutboxError::Gone)));
    assert!(matches!(office.outbox.withdraw(&MessageId::of("none")), Err(OutboxError::Unknown)));
    // Done again, the same act puts the same messages.
    assert_eq!(remind(&office, "due/1", &mail("p1@firm.example")).unwrap(), ids[1]);
    assert_eq!(round(&office, minutes(12)), (1, 0, 0));
    assert_eq!(round(&office, minutes(30)), (1, 0, 0));
    let to: Vec<_> = server.received().into_iter().map(|received| received.to).collect();
    assert_eq!(to, ["p0@firm.example", "p1@firm.example", "later@firm.example"]);
    assert_eq!(office.outbox.messages().unwrap()[0].id, ids[1]);
}

#[test]
fn a_server_that_is_down_gets_it_when_it_is_up() {
    let port = free_port();
    let office = office(&plain_mail(port));
    let id = remind(&office, "k", &mail("li@firm.example")).unwrap();
    assert_eq!(round(&office, minutes(2)), (0, 1, 0));
    let shown = office.outbox.message(&id).unwrap();
    assert_eq!((shown.state, shown.attempts), (State::Failed { next: minutes(3) }, 1));
    let failure = shown.failure.unwrap();
    assert_eq!(failure.obstacle, Obstacle::Unreachable);
    assert!(failure.message(Lang::En).contains("tried again"), "{}", failure.message(Lang::En));
    assert_eq!(round(&office, minutes(3)), (0, 1, 0));
    assert_eq!(state(&office, &id), State::Failed { next: minutes(8) });
    assert_eq!(round(&office, minutes(7)), (0, 0, 0));
    let server = MailServer::start_at(port, Mode::Plain, None);
    assert_eq!(round(&office, minutes(8)), (1, 0, 0));
    assert_eq!(server.received().len(), 1);
    let shown = office.outbox.message(&id).unwrap();
    assert_eq!((shown.attempts, shown.failure), (3, None));
}

#[test]
fn what_cannot_succeed_is_given_up_with_its_reason() {
    let server = MailServer::start(Mode::Plain, None);
    let office = office(&plain_mail(server.port));
    let refused = remind(&office, "refused", &mail("nobody@firm.example")).unwrap();
    let busy = remind(&office, "busy", &mail("busy@firm.example")).unwrap();
    let no_way = remind(&office, "phone", &phone()).unwrap();
    assert_eq!(round(&office, minutes(2)), (0, 2, 1));
    let shown = office.outbox.message(&refused).unwrap();
    assert_eq!(shown.state, State::GivenUp { at: minutes(2) });
    let failure = shown.failure.unwrap();
    assert_eq!(failure.obstacle, Obstacle::Refused);
    assert!(failure.message(Lang::Zh).contains("nobody@firm.example"), "{}", failure.message(Lang::Zh));
    assert_eq!(office.outbox.message(&busy).unwrap().failure.unwrap().obstacle, Obstacle::Busy);
    assert_eq!(office.outbox.message(&no_way).unwrap().failure.unwrap().obstacle, Obstacle::NoWay);
    // Three days later both others are given up, and not tried any more.
    for hour in 1..=96 {
        round(&office, minutes(60 * hour));
    }
    for id in [&busy, &no_way] {
        let shown = office.outbox.message(id).unwrap();
        assert!(matches!(shown.state, State::GivenUp { .. }), "{shown:?}");
        assert_eq!(shown.attempts, 10);
    }
    // An officer may try once more.
    office.outbox.retry(&busy).unwrap();
    assert_eq!(round(&office, minutes(60 * 97)), (0, 1, 0));
    office.outbox.withdraw(&busy).unwrap();
    assert_eq!(round(&office, minutes(60 * 200)), (0, 0, 0));
    assert!(server.received().is_empty());
}

#[test]
fn nothing_can_be_smuggled_into_a_message() {
    let server = MailServer::start(Mode::Plain, None);
    let office = office(&plain_mail(server.port));
    for address in [
        "",
        "li",
        "li@firm.example\r\nBcc: all@firm.example",
        "li@firm.example,other@firm.example",
        "Li <li@firm.example>",
        "li@firm.example\0",
        "li @firm.example",
        "李@firm.example",
        "li@firm.example>\r\nDATA",
    ] {
        assert!(matches!(remind(&office, "k", &mail(address)), Err(OutboxError::Address)), "{address:?}");
    }
    for number in ["", "1380", "138 0000 0000", "+86 138", "1380000000000000", "13800000000\r\n", "++8613800000000"] {
        assert!(matches!(remind(&office, "k", &To::Phone(number.to_owned())), Err(OutboxError::Address)), "{number:?}");
    }
    let put = |edition: &str, link: &str| {
        let params = [("office", "Office"), ("edition", edition), ("link", link)];
        office.outbox.put("k", &mail("li@firm.example"), Language::En, Template::FeedbackReady, &params, None)
    };
    let long = "x".repeat(301);
    for value in ["", " ", "2026\r\nBcc: all@firm.example", "a\nb", "a\0", "a\u{2028}b", "a\u{202e}b", &long] {
        assert!(matches!(put(value, LINK), Err(OutboxError::Place { place }) if place == "edition"), "{value:?}");
    }
    for link in [
        "http://heng.example/",
        "https://heng.example.evil/",
        "https://heng.example",
        "https://evil/",
        "javascript:x",
        "https://heng.example/ a",
    ] {
        assert!(matches!(put("2026", link), Err(OutboxError::Link)), "{link}");
    }
    for params in [
        vec![("office", "Office"), ("link", LINK)],
        vec![("office", "Office"), ("edition", "1"), ("edition", "2"), ("link", LINK)],
        vec![("office", "Office"), ("edition", "1"), ("link", LINK), ("score", "87")],
    ] {
        let put =
            office.outbox.put("k", &mail("li@firm.example"), Language::En, Template::FeedbackReady, &params, None);
        assert!(matches!(put, Err(OutboxError::Place { .. })), "{params:?}");
    }
    assert!(office.outbox.messages().unwrap().is_empty());
    // What is only odd stays within its place.
    put("{link} =?utf-8?q?x?= \"第五届\" <a@b>", LINK).unwrap();
    round(&office, minutes(2));
    let received = server.received();
    let (head, _) = received[0].data.split_once("\n\n").unwrap();
    assert_eq!(head.lines().filter(|line| line.starts_with("To:") || line.starts_with("Bcc:")).count(), 1, "{head}");
    assert!(text(&received[0].data).contains("{link} =?utf-8?q?x?= \"第五届\" <a@b>"));
    for error in [OutboxError::Address, OutboxError::Link, OutboxError::Unknown, OutboxError::Gone] {
        for lang in [Lang::Zh, Lang::En] {
            let sentence = error.message(lang);
            assert!(sentence.len() > 20 && !sentence.contains('{') && sentence != error.code(), "{sentence}");
        }
    }
}

#[test]
fn mail_is_sent_over_tls_and_only_to_whom_is_trusted() {
    let tls = Tls::new();
    for (mode, security) in [(Mode::Wrapped, "tls"), (Mode::Starttls, "starttls")] {
        let server = MailServer::start(mode, Some(tls.clone()));
        let config = |more: &str| {
            format!(
                "[mail]\nhost = \"localhost\"\nport = {}\nsecurity = \"{security}\"\nfrom = \"a@heng.example\"\ntimeout_seconds = 5\n{more}",
                server.port
            )
        };
        let trusted = format!("ca_file = {:?}\n", tls.ca_file);
        let login = |password: &str| format!("{trusted}user = \"office\"\npassword = \"{password}\"\n");
        let right = office(&config(&login("right password")));
        remind(&right, "k", &mail("li@firm.example")).unwrap();
        assert_eq!(round(&right, minutes(2)), (1, 0, 0), "{:?}", right.outbox.messages());
        let received = server.received();
        assert!(received.len() == 1 && received[0].secure);
        assert_eq!(received[0].login.as_deref(), Some("office"));

        // A wrong password is the office's fault, not the message's: it is tried again.
        let wrong = office(&config(&login("wrong password")));
        let id = remind(&wrong, "k", &mail("li@firm.example")).unwrap();
        assert_eq!(round(&wrong, minutes(2)), (0, 1, 0));
        assert_eq!(wrong.outbox.message(&id).unwrap().failure.unwrap().obstacle, Obstacle::Login);

        // A server that nobody vouches for gets nothing.
        let strange = office(&config(""));
        let id = remind(&strange, "k", &mail("li@firm.example")).unwrap();
        assert_eq!(round(&strange, minutes(2)), (0, 1, 0));
        let failure = strange.outbox.message(&id).unwrap().failure.unwrap();
        assert_eq!(failure.obstacle, Obstacle::Tls, "{}", failure.said);
        assert_eq!(server.received().len(), 1);
    }
    // A server that offers no TLS where it must gets nothing, either.
    let server = MailServer::start(Mode::Plain, None);
    let config = format!("[mail]\nhost = \"localhost\"\nport = {}\nfrom = \"a@heng.example\"\n", server.port);
    let downgraded = office(&config);
    remind(&downgraded, "k", &mail("li@firm.example")).unwrap();
    assert_eq!(round(&downgraded, minutes(2)), (0, 1, 0));
    assert!(server.received().is_empty());
}

#[test]
fn a_text_message_is_posted_and_signed() {
    let (port, requests) = hook_server(vec![answer("503 Busy"), answer("200 OK")], None);
    let office = office(&plain_hook(port));
    let id = remind(&office, "k", &phone()).unwrap();
    assert_eq!(round(&office, minutes(2)), (0, 1, 0));
    assert_eq!(office.outbox.message(&id).unwrap().failure.unwrap().said, "HTTP 503 ok");
    assert_eq!(round(&office, minutes(3)), (1, 0, 0));
    assert_eq!(round(&office, minutes(3)), (0, 0, 0));
    let requests = requests.lock().unwrap().clone();
    assert_eq!(requests.len(), 2);
    let (head, body) = &requests[1];
    assert_eq!(requests[0].1, *body, "a second try says the same under the same name");
    let sent: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(sent["to"], "13800000000");
    assert_eq!(sent["id"], id.as_str());
    assert_eq!(sent["template"], "mail_task_due");
    assert_eq!(sent["lang"], "zh-Hans");
    assert_eq!(sent["text"], format!("【质量奖办公室】您在第五届中有事项待办，期限是5月9日：{LINK}"));
    // The signature, computed by other means.
    let seconds = minutes(3).millis() / 1000;
    let expected = {
        use hmac::{KeyInit, Mac};
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(b"a secret of the hook").unwrap();
        mac.update(format!("{seconds}.{body}").as_bytes());
        hex::encode(mac.finalize().into_bytes())
    };
    for header in [
        "POST /sms HTTP/1.1".to_owned(),
        "content-type: application/json".to_owned(),
        format!("heng-message: {}", id.as_str()),
        format!("heng-timestamp: {seconds}"),
        format!("heng-signature: sha256={expected}"),
    ] {
        assert!(head.contains(&header), "{header}\n{head}");
    }
}

#[test]
fn a_hook_leads_nowhere_else() {
    // A redirect is not followed, not even to the same host.
    let (inner, reached) = hook_server(vec![answer("200 OK")], None);
    let redirect = format!("HTTP/1.1 307 Moved\r\nlocation: http://localhost:{inner}/\r\ncontent-length: 0\r\n\r\n");
    let (port, _) = hook_server(vec![redirect], None);
    let redirected = office(&plain_hook(port));
    let id = remind(&redirected, "k", &phone()).unwrap();
    assert_eq!(round(&redirected, minutes(2)), (0, 0, 1));
    assert!(redirected.outbox.message(&id).unwrap().failure.unwrap().said.starts_with("HTTP 307"));
    assert!(reached.lock().unwrap().is_empty());

    // Codes and what becomes of them.
    for (status, expected) in [
        ("400 Bad", (Obstacle::Refused, (0, 0, 1))),
        ("404 None", (Obstacle::Refused, (0, 0, 1))),
        ("401 Who", (Obstacle::Login, (0, 1, 0))),
        ("429 Slow", (Obstacle::Busy, (0, 1, 0))),
        ("500 Sorry", (Obstacle::Busy, (0, 1, 0))),
    ] {
        let (port, _) = hook_server(vec![answer(status)], None);
        let office = office(&plain_hook(port));
        let id = remind(&office, "k", &phone()).unwrap();
        let found = round(&office, minutes(2));
        assert_eq!((office.outbox.message(&id).unwrap().failure.unwrap().obstacle, found), expected, "{status}");
    }

    // An endless answer is not read, an answer that never comes is not waited for.
    let endless = format!("HTTP/1.1 400 Bad\r\nconnection: close\r\n\r\n{}", "x".repeat(3 << 20));
    let (port, _) = hook_server(vec![endless], None);
    let office_of_endless = office(&plain_hook(port));
    let id = remind(&office_of_endless, "k", &phone()).unwrap();
    assert_eq!(round(&office_of_endless, minutes(2)), (0, 0, 1));
    assert!(office_of_endless.outbox.message(&id).unwrap().failure.unwrap().said.len() <= 300);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let waiting = office(&plain_hook(silent.local_addr().unwrap().port()));
    remind(&waiting, "k", &phone()).unwrap();
    let started = std::time::Instant::now();
    assert_eq!(round(&waiting, minutes(2)), (0, 1, 0));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_hook_with_a_private_address_must_be_listed() {
    let tls = Tls::new();
    let (port, requests) = hook_server(vec![answer("200 OK")], Some(tls.clone()));
    let config = |host: &str, more: &str| {
        format!(
            "[hook]\nurl = \"https://{host}:{port}/\"\nsecret = \"a secret of the hook\"\ntimeout_seconds = 5\n{more}"
        )
    };
    let trusted = format!("ca_file = {:?}\n", tls.ca_file);
    let obstacle = |config: &str| {
        let office = office(config);
        let id = remind(&office, "k", &phone()).unwrap();
        round(&office, minutes(2));
        office.outbox.message(&id).unwrap().failure.map(|failure| failure.obstacle)
    };
    for host in
        ["localhost", "127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"]
    {
        let found = obstacle(&config(host, &trusted));
        // A number that the resolver of the machine does not take for an address is a name that is unknown.
        assert!(matches!(found, Some(Obstacle::Forbidden | Obstacle::Unreachable)), "{host}: {found:?}");
    }
    assert_eq!(obstacle(&config("localhost", &trusted)), Some(Obstacle::Forbidden));
    assert!(requests.lock().unwrap().is_empty());
    let listed = format!("{trusted}private_hosts = [\"localhost\"]\n");
    assert_eq!(obstacle(&config("localhost", &listed)), None);
    assert_eq!(requests.lock().unwrap().len(), 1);
    // Listed, but with a certificate that nobody vouches for.
    assert_eq!(obstacle(&config("localhost", "private_hosts = [\"localhost\"]\n")), Some(Obstacle::Tls));
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[test]
fn settings_that_are_not_safe_are_refused() {
    let good = "base_url = \"https://heng.example\"\n";
    let hook =
        |url: &str, more: &str| format!("{good}[hook]\nurl = \"{url}\"\nsecret = \"a secret of the hook\"\n{more}");
    let mail = |more: &str| format!("{good}[mail]\nfrom = \"a@heng.example\"\n{more}");
    for (config, part) in [
        ("base_url = \"http://heng.example\"".to_owned(), "base_url"),
        ("base_url = \"heng.example\"".to_owned(), "base_url"),
        ("base_url = \"https://heng.example/?x\"".to_owned(), "base_url"),
        (hook("http://sms.example/", ""), "https://"),
        (hook("http://localhost/", ""), "https://"),
        (hook("file:///etc/passwd", ""), "hook"),
        (hook("https://user:pass@sms.example/", ""), "password"),
        (hook("https://sms.example/", "timeout_seconds = 0\n"), "timeout_seconds"),
        (hook("https://sms.example/", "ca_file = \"/nowhere\"\n"), "/nowhere"),
        (format!("{good}[hook]\nurl = \"https://sms.example/\"\nsecret = \"short\"\n"), "16 characters"),
        (mail("host = \"mail.example\"\nsecurity = \"none\"\n"), "only for a server on this machine"),
        (mail("host = \"127.0.0.1.example\"\nsecurity = \"none\"\n"), "only for a server on this machine"),
        (mail("host = \"mail.example\"\nuser = \"a\"\n"), "user and password"),
        (mail("host = \"mail.example\"\nreply_to = \"nobody\"\n"), "reply_to"),
    ] {
        let error = try_office(&config).err().unwrap();
        assert_eq!(error.code(), "outbox.config");
        assert!(error.message(Lang::En).contains(part), "{config}: {error}");
    }
    // With http allowed, another machine is still out of reach.
    let outside =
        office("[hook]\nurl = \"http://10.0.0.1/\"\nsecret = \"a secret of the hook\"\nhttp_on_loopback = true\n");
    let id = remind(&outside, "k", &phone()).unwrap();
    round(&outside, minutes(2));
    assert_eq!(outside.outbox.message(&id).unwrap().failure.unwrap().obstacle, Obstacle::Forbidden);
}

#[test]
fn two_rounds_at_once_send_nothing_twice() {
    let server = MailServer::start(Mode::Plain, None);
    let office = office(&plain_mail(server.port));
    for n in 0..20 {
        remind(&office, &format!("due/{n}"), &mail(&format!("p{n}@firm.example"))).unwrap();
    }
    let sent: usize = std::thread::scope(|scope| {
        let rounds: Vec<_> =
            (0..4).map(|_| scope.spawn(|| office.outbox.deliver_due(minutes(2)).unwrap().sent)).collect();
        rounds.into_iter().map(|round| round.join().unwrap()).sum()
    });
    assert_eq!((sent, server.received().len()), (20, 20));

    // A server that stopped while it was sending: its claim is taken up after a while, under the same name.
    let id = remind(&office, "claimed", &mail("li@firm.example")).unwrap();
    let bytes = office.store.row("outbox", id.as_str()).unwrap().unwrap();
    let mut row: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    row["state"] = serde_json::json!({ "is": "sending", "since": start() });
    row["attempts"] = 1.into();
    office.store.put_row("outbox", id.as_str(), &serde_json::to_vec(&row).unwrap()).unwrap();
    assert_eq!(round(&office, minutes(14)), (0, 0, 0));
    assert!(matches!(office.outbox.withdraw(&id), Err(OutboxError::Gone)));
    assert_eq!(round(&office, minutes(15)), (1, 0, 0));
    assert_eq!(office.outbox.message(&id).unwrap().attempts, 2);
    // A row that cannot be read keeps no other one back.
    office.store.put_row("outbox", "00", b"?").unwrap();
    office.clock.set(minutes(20));
    remind(&office, "next", &mail("li@firm.example")).unwrap();
    assert_eq!(round(&office, minutes(22)), (1, 0, 0));
}

#[test]
fn the_thread_sends_and_ends() {
    let server = MailServer::start(Mode::Plain, None);
    let office = office(&plain_mail(server.port));
    let running = office.outbox.start(Duration::from_millis(20)).unwrap();
    remind(&office, "k", &mail("li@firm.example")).unwrap();
    office.clock.set(minutes(3));
    for _ in 0..200 {
        if !server.received().is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    running.stop();
    assert_eq!(server.received().len(), 1);
    office.clock.set(minutes(10));
    remind(&office, "second", &mail("li@firm.example")).unwrap();
    office.clock.set(minutes(20));
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.received().len(), 1, "a stopped thread sends nothing");
}

/// Everything that is logged while messages are sent, refused and in vain.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_secret_is_logged() {
    let tls = Tls::new();
    let server = MailServer::start(Mode::Starttls, Some(tls.clone()));
    let (port, _) = hook_server(vec![answer("400 Bad"), answer("200 OK")], None);
    let config = format!(
        "base_url = \"https://heng.example\"\n[mail]\nhost = \"localhost\"\nport = {}\nfrom = \"a@heng.example\"\nca_file = {:?}\nuser = \"office\"\npassword = \"right password\"\n{}",
        server.port,
        tls.ca_file,
        plain_hook(port)
    );
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let office = try_office(&config).unwrap_or_else(|error| panic!("{error}"));
        for (key, to) in
            [("1", mail("li@firm.example")), ("2", mail("nobody@firm.example")), ("3", phone()), ("4", phone())]
        {
            let params =
                [("office", "Office"), ("due", "9 May"), ("link", "https://heng.example/invitation/SECRETTOKEN")];
            office.outbox.put(key, &to, Language::En, Template::Invitation, &params, None).unwrap();
        }
        assert_eq!(round(&office, minutes(2)), (2, 0, 2));
    });
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("not sent") && log.contains("mail_invitation"), "{log}");
    for secret in [
        "right password",
        "cmlnaHQgcGFzc3dvcmQ",
        "a secret of the hook",
        "SECRETTOKEN",
        "firm.example",
        "13800000000",
        "sha256=",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    let config: toml::Table = config.parse().unwrap();
    let config: OutboxConfig = serde_json::from_value(serde_json::to_value(config).unwrap()).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("right password") && !shown.contains("a secret of the hook"), "{shown}");
}
