//! A client for one connection, just enough for `bench-web`: HTTP/1.1, kept alive, redirects not followed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A connection, and the session that goes with its requests.
pub struct Client {
    stream: BufReader<TcpStream>,
    /// The session's cookie, `name=value`.
    pub cookie: Option<String>,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    /// Where a redirect leads.
    pub location: String,
    /// The cookie that was set.
    pub cookie: Option<String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    pub fn connect(port: u16) -> Result<Client> {
        let stream = TcpStream::connect(("127.0.0.1", port)).context("cannot reach the server")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Client { stream: BufReader::new(stream), cookie: None })
    }

    pub fn get(&mut self, path: &str, headers: &str) -> Result<Answer> {
        self.send("GET", path, headers, "")
    }

    pub fn post(&mut self, path: &str, headers: &str, form: &str) -> Result<Answer> {
        self.send("POST", path, &format!("Content-Type: application/x-www-form-urlencoded\r\n{headers}"), form)
    }

    fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Result<Answer> {
        let cookie = self.cookie.as_ref().map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{cookie}{headers}\r\n{body}"
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.read()
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("the server closed the connection");
        }
        Ok(line.trim_end().to_owned())
    }

    fn read(&mut self) -> Result<Answer> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status line")?;
        let mut answer = Answer { status, location: String::new(), cookie: None, body: Vec::new() };
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(": ") else { continue };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse()?,
                "transfer-encoding" => chunked = value == "chunked",
                "location" => answer.location = value.to_owned(),
                "set-cookie" => answer.cookie = value.split(';').next().map(str::to_owned),
                _ => {}
            }
        }
        while chunked {
            let size = usize::from_str_radix(&self.line()?, 16)?;
            self.take(size, &mut answer.body)?;
            self.line()?;
            chunked = size > 0;
        }
        self.take(length, &mut answer.body)?;
        Ok(answer)
    }

    fn take(&mut self, size: usize, body: &mut Vec<u8>) -> Result<()> {
        let start = body.len();
        body.resize(start + size, 0);
        let rest = body.get_mut(start..).unwrap_or_default();
        Ok(self.stream.read_exact(rest)?)
    }
}

/// A value as a form sends it.
pub fn encode(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    text.bytes().map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
