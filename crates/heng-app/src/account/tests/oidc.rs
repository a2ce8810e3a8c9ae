//! Signing in at a real OpenID provider on loopback (`npm ci --prefix tests/oidc` installs it; else skipped).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::*;
use crate::account::rows::kind;

const SECRET: &str = "a-secret-of-the-office-at-its-provider";

/// A provider; ends with the test.
struct Idp {
    process: Child,
    /// Kept open: the provider may say more.
    _said: BufReader<ChildStdout>,
    issuer: String,
}

impl Idp {
    fn start() -> Option<Idp> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oidc");
        if !folder.join("node_modules").exists() {
            eprintln!("skipped: npm ci --prefix tests/oidc was not run");
            return None;
        }
        let mut command = Command::new("node");
        command.arg("provider.js").current_dir(folder).env("CLIENT_SECRET", SECRET);
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = pipes.spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut issuer = String::new();
        while !issuer.starts_with("http") {
            issuer.clear();
            assert!(said.read_line(&mut issuer).unwrap() > 0, "the provider did not start");
        }
        Some(Idp { process, _said: said, issuer: issuer.trim().to_owned() })
    }

    fn provider(&self, algorithm: &str) -> Provider {
        Provider {
            issuer: self.issuer.clone(),
            client_id: format!("heng-{algorithm}"),
            client_secret: Some(Hidden::new(SECRET.to_owned())),
            redirect: "https://award.example/oidc".to_owned(),
        }
    }

    fn oidc(&self, algorithm: &str) -> Oidc {
        Oidc::new(self.provider(algorithm)).unwrap()
    }
}

impl Drop for Idp {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A browser at the provider: follows redirects, keeps cookies, fills in its two forms.
#[derive(Default)]
struct Browser(BTreeMap<String, String>);

impl Browser {
    /// State and code that the provider sends back.
    fn visit(&mut self, address: &str, login: &str) -> (String, String) {
        let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build();
        let agent = config.new_agent();
        let mut next = Url::parse(address).unwrap();
        for _ in 0..20 {
            if next.host_str() == Some("award.example") {
                let query: BTreeMap<_, _> = next.query_pairs().into_owned().collect();
                return (query["state"].clone(), query.get("code").cloned().unwrap_or_default());
            }
            let cookies: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let cookies = cookies.join("; ");
            let mut answer = agent.get(next.as_str()).header("cookie", &cookies).call().unwrap();
            if answer.status() == 200 {
                let page = answer.body_mut().read_to_string().unwrap();
                let login_form = page.contains("name=\"login\"");
                let (prompt, user) = if login_form { ("login", login) } else { ("consent", "") };
                let form = format!("prompt={prompt}&login={user}&password=x");
                let post = agent.post(next.as_str()).header("cookie", &cookies);
                answer = post.header("content-type", "application/x-www-form-urlencoded").send(&form).unwrap();
            }
            for cookie in answer.headers().get_all("set-cookie") {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
                let (name, value) = pair.split_once('=').unwrap();
                self.0.insert(name.to_owned(), value.to_owned());
            }
            let to = answer.headers().get("location").unwrap_or_else(|| panic!("{} {next}", answer.status()));
            next = next.join(to.to_str().unwrap()).unwrap();
        }
        panic!("the provider never sends back");
    }
}

/// The provider lives in real time.
fn house_of_today() -> House {
    let house = house();
    house.clock.set(crate::clock::SystemClock.now());
    house
}

fn guest(house: &House, handle: &str) -> SignedIn {
    let subject = Subject::Organisation(handle.to_owned());
    let issued = house.accounts.invite(By::Operator, &Invite::new(subject, "示例", None)).unwrap();
    house.accounts.redeem(CALLER, issued.token.expose()).unwrap()
}

#[test]
fn an_identity_is_bound_with_an_invitation_and_signs_in_then() {
    let Some(idp) = Idp::start() else { return };
    for algorithm in ["RS256", "ES256"] {
        let (house, oidc) = (house_of_today(), idp.oidc(algorithm));
        let accounts = &house.accounts;
        let mut browser = Browser::default();
        let come = |browser: &mut Browser, purpose: OidcFor<'_>, login: &str| {
            let start = accounts.begin_oidc(&oidc, CALLER, purpose).unwrap();
            let (state, code) = browser.visit(&start.address, login);
            assert_eq!(state, start.expose_state());
            let session = match purpose {
                OidcFor::SignIn => None,
                OidcFor::Again(session) | OidcFor::Bind(session) => Some(session),
            };
            house.clock.set(crate::clock::SystemClock.now());
            accounts.finish_oidc(&oidc, CALLER, session, &state, &code)
        };
        assert_eq!(code_of(come(&mut browser, OidcFor::SignIn, "zhang")), "oidc.unknown");
        let first = guest(&house, "o:0001");
        let OidcDone::Bound(bound) = come(&mut browser, OidcFor::Bind(&first.session), "zhang").unwrap() else {
            panic!()
        };
        assert_eq!(bound.notice.notice, Notice::IdentityBound);
        let full = bound.signed_in.unwrap();
        assert_eq!(full.session.method, Method::Oidc);
        assert_eq!(code_of(accounts.session(first.token.expose())), "session.ended");
        let OidcDone::SignedIn(again) = come(&mut browser, OidcFor::SignIn, "zhang").unwrap() else { panic!() };
        assert_eq!(again.session.account.id, full.session.account.id);
        // The provider asks again if we say so, and the answer is only good for the same person.
        let OidcDone::SignedIn(fresh) = come(&mut browser, OidcFor::Again(&again.session), "zhang").unwrap() else {
            panic!()
        };
        assert!(fresh.session.fresh(5 * MINUTE));
        assert_eq!(code_of(come(&mut Browser::default(), OidcFor::Again(&again.session), "wang")), "oidc.unknown");
        // One identity, one account; the last way to sign in stays.
        let second = guest(&house, "o:0002");
        assert_eq!(code_of(come(&mut Browser::default(), OidcFor::Bind(&second.session), "zhang")), "oidc.taken");
        assert_eq!(code_of(accounts.unbind_identities(&fresh.session)), "factor.last");
        house.register(&fresh.session, &mut Device::new()).unwrap();
        accounts.unbind_identities(&fresh.session).unwrap();
        assert_eq!(code_of(come(&mut browser, OidcFor::SignIn, "zhang")), "oidc.unknown");
        come(&mut Browser::default(), OidcFor::Bind(&second.session), "zhang").unwrap();
    }
}

#[test]
fn answers_that_do_not_hold_are_refused() {
    let Some(idp) = Idp::start() else { return };
    let (house, oidc) = (house_of_today(), idp.oidc("RS256"));
    let accounts = &house.accounts;
    let come = || {
        house.clock.set(crate::clock::SystemClock.now());
        let start = accounts.begin_oidc(&oidc, CALLER, OidcFor::SignIn).unwrap();
        Browser::default().visit(&start.address, "zhang")
    };
    let finish = |state: &str, code: &str| code_of(accounts.finish_oidc(&oidc, CALLER, None, state, code));
    let (state, code) = come();
    assert_eq!(finish("made-up", &code), "oidc.expired");
    assert_eq!(finish(&state, "made-up"), "oidc.refused");
    // The state counts once, whatever came of it.
    assert_eq!(finish(&state, &code), "oidc.expired");
    // The code of one visit with the state of another: PKCE.
    let ((first, _), (_, second)) = (come(), come());
    assert_eq!(finish(&first, &second), "oidc.refused");
    // Another nonce than the one of this visit.
    let (state, code) = come();
    let key = secret::key_of(&state);
    accounts
        .revise(kind::OIDC, &key, AccountError::OidcExpired, |visit: &mut Value| {
            visit["nonce"] = "another".into();
            Ok(())
        })
        .unwrap();
    assert_eq!(finish(&state, &code), "oidc.refused");
    // A token that has expired by our clock, and a visit that has.
    let (state, code) = come();
    house.minutes(5);
    assert_eq!(finish(&state, &code), "oidc.refused");
    let (state, code) = come();
    house.minutes(15);
    assert_eq!(finish(&state, &code), "oidc.expired");
    // Another client's secret, and another issuer than it says.
    let (state, code) = come();
    let provider = Provider { client_secret: Some(Hidden::new("wrong".to_owned())), ..idp.provider("RS256") };
    let wrong = Oidc::new(provider).unwrap();
    assert_eq!(code_of(accounts.finish_oidc(&wrong, CALLER, None, &state, &code)), "oidc.refused");
    let provider = Provider { issuer: idp.issuer.replace("127.0.0.1", "localhost"), ..idp.provider("RS256") };
    let begun = accounts.begin_oidc(&Oidc::new(provider).unwrap(), CALLER, OidcFor::SignIn);
    assert_eq!(code_of(begun), "oidc.refused");
    assert!(!format!("{oidc:?} {wrong:?}").contains(SECRET));
    // Swept.
    accounts.begin_oidc(&oidc, CALLER, OidcFor::SignIn).unwrap();
    house.minutes(16);
    accounts.sweep().unwrap();
    assert!(accounts.heng.store().rows(kind::OIDC).unwrap().is_empty());
}

#[test]
fn a_provider_that_is_away_or_not_safe() {
    let house = house();
    let provider = |issuer: &str| Provider {
        issuer: issuer.to_owned(),
        client_id: "heng".to_owned(),
        client_secret: None,
        redirect: "https://award.example/oidc".to_owned(),
    };
    for issuer in ["http://idp.example", "http://192.0.2.1", "ftp://127.0.0.1", "x", "http://localhost.example"] {
        assert_eq!(code_of(Oidc::new(provider(issuer))), "account.internal", "{issuer}");
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let oidc = Oidc::new(provider(&format!("http://{free}"))).unwrap();
    assert_eq!(code_of(house.accounts.begin_oidc(&oidc, CALLER, OidcFor::SignIn)), "oidc.unreachable");
}
