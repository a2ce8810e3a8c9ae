//! Files that are not what they say, sent whole as a browser without scripts sends them.

use std::collections::BTreeMap;
use std::io::Write as _;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use super::super::{Came, OPEN, Town, build};
use super::{LANGS, Table, compare, laws, sizes};

const EDGE: &str = "edge-of-a-form";

/// A form with a file.
fn upload(path: &str, cookie: &str, about: &str, name: &str, bytes: &[u8]) -> Request<Body> {
    let mut body = Vec::new();
    let part =
        |name: &str, more: &str| format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
    body.extend(part("about", "").bytes().chain(about.bytes()).chain(*b"\r\n"));
    body.extend(part("secret", "").bytes().chain(*b"yes\r\n"));
    body.extend(part("file", &format!("; filename=\"{name}\"")).bytes());
    body.extend(bytes);
    body.extend(format!("\r\n--{EDGE}--\r\n").bytes());
    let request = Request::builder().method("POST").uri(path).header(header::COOKIE, cookie);
    let request = request.header(header::CONTENT_LENGTH, body.len());
    request
        .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={EDGE}"))
        .body(Body::from(body))
        .unwrap()
}

/// An Office file whose document unpacks to far more than its size.
fn bomb() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in [("[Content_Types].xml", 64), ("word/document.xml", 32 << 20)] {
        zip.start_file(name, options).unwrap();
        zip.write_all(&vec![b' '; bytes]).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn files() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let pdf = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n".to_vec();
    let exe = [&b"MZ\x90\x00\x03\x00\x00\x00"[..], &[0; 256], b"This program cannot be run in DOS mode."].concat();
    let both = [&pdf[..], &exe[..]].concat();
    vec![
        ("no file", "", Vec::new()),
        ("an empty file", "empty.pdf", Vec::new()),
        ("a PDF that is an EXE", "证明.pdf", exe.clone()),
        ("an EXE", "setup.exe", exe),
        ("a PDF with a program behind it", "both.pdf", both),
        ("a PDF without its end", "cut.pdf", pdf[..20].to_vec()),
        ("a page", "page.txt", b"<!DOCTYPE html><html><script>alert(1)</script></html>".to_vec()),
        ("a picture that is a text", "photo.jpg", b"hello".to_vec()),
        ("a zip bomb", "report.docx", bomb()),
        ("an archive", "all.zip", b"PK\x03\x04".to_vec()),
        ("a name that turns", "a\u{202E}fdp.txt", b"text".to_vec()),
        ("a name without an ending", "README", b"text".to_vec()),
        ("a name that is a device", "con.txt", b"text".to_vec()),
        ("a name of 300 characters", Box::leak(format!("{}.txt", "长".repeat(300)).into_boxed_str()), b"text".to_vec()),
        ("a text that is not UTF-8", "gbk.csv", vec![0xb5, 0xa5, 0xce, 0xbb]),
        ("emoji in the name", "🏆奖.txt", "奖".into()),
        ("a pasted table", "表.csv", "单位,营收\r\n云川锻造,1200\r\n".into()),
        ("more than 8 MiB", "large.txt", vec![b'x'; (8 << 20) + 1]),
    ]
}

fn firm(town: &Town) -> String {
    let log = town.heng().log(OPEN).unwrap();
    log.image().state.edition().unwrap().organisations.keys().next().cloned().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_that_is_not_what_it_says_is_refused_with_its_reason() {
    let town = build();
    let before = sizes(&town);
    let firm = firm(&town);
    let mut tables: BTreeMap<&str, BTreeMap<String, Table>> = BTreeMap::new();
    let mut broken = Vec::new();
    for (what, name, bytes) in files() {
        for (lang, prefix) in LANGS {
            let path = format!("{prefix}/work/{}/files", crate::view::slug(OPEN));
            let came = town.send(upload(&path, &town.cookie(&firm), "licence", name, &bytes)).await;
            broken.extend(laws(&format!("{what} ({lang})"), &came));
            let page = came.text();
            // What the file is for and that it is secret stand there still; the file itself must be chosen again.
            let kept = page.contains("value=\"licence\" selected") && page.contains("value=\"yes\" checked");
            if came.status == StatusCode::UNPROCESSABLE_ENTITY && !kept {
                broken.push(format!("{what} ({lang}): what was chosen is lost"));
            }
            tables.entry(lang).or_default().entry("files".to_owned()).or_default().note("file", &came, what);
        }
    }
    for (lang, prefix) in LANGS {
        let path = format!("{prefix}/work/{}/files", crate::view::slug(OPEN));
        let came = town.send(upload(&path, &town.cookie(&firm), "nothing known", "a.txt", b"text")).await;
        broken.extend(laws("about", &came));
        tables.entry(lang).or_default().entry("files".to_owned()).or_default().note("about", &came, "unknown");
    }
    assert!(broken.is_empty(), "{} laws are broken:\n{}", broken.len(), broken.join("\n"));
    assert_eq!(sizes(&town), before);
    for (lang, _) in LANGS {
        compare("uploads", lang, &tables[lang]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_breaks_off_keeps_no_file() {
    let town = build();
    let firm = firm(&town);
    let path = format!("/en/work/{}/files", crate::view::slug(OPEN));
    let whole = upload(&path, &town.cookie(&firm), "other", "cut.txt", b"the first half, the second half");
    let (parts, body) = whole.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let mut request = Request::from_parts(parts, Body::from(bytes.slice(..bytes.len() - 40)));
    request.headers_mut().remove(header::CONTENT_LENGTH);
    let came: Came = town.send(request).await;
    assert!(came.status.is_client_error() && laws("cut", &came).is_empty(), "{} {}", came.status, came.text());
    assert!(heng_app::desk::files::list(town.heng(), &firm).unwrap().is_empty());
}
