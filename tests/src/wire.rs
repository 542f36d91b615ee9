//! IAM's query protocol over plain HTTP, as small as it can be: one form out, one XML text back.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// An answer of the service.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The XML.
    pub body: String,
}

impl Answer {
    /// The text of the first element with this name, with entities resolved.
    pub fn element(&self, name: &str) -> Option<String> {
        elements(&self.body, name).next()
    }

    /// The error's code, where it is one.
    pub fn error_code(&self) -> Option<String> {
        (self.status >= 300).then(|| self.element("Code").unwrap_or_default())
    }
}

/// The texts of all elements with this name that hold nothing but text.
pub fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = String> + use<'a> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let start = rest.find(&open)? + open.len();
        let end = start + rest[start..].find(&close)?;
        let text = rest[start..end]
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&amp;", "&");
        rest = &rest[end + close.len()..];
        Some(text)
    })
}

/// Makes one call.
///
/// # Errors
///
/// When the service cannot be reached or does not speak HTTP.
pub fn call(address: SocketAddr, operation: &str, parameters: &[(String, String)]) -> std::io::Result<Answer> {
    let mut form = format!("Action={operation}&Version=2010-05-08");
    for (name, value) in parameters {
        let _ = write!(form, "&{}={}", encode(name), encode(value));
    }
    post(address, &form)
}

/// Sends a form as it is.
///
/// # Errors
///
/// When the service cannot be reached or does not speak HTTP.
pub fn post(address: SocketAddr, form: &str) -> std::io::Result<Answer> {
    let service = if form.contains("Action=GetCallerIdentity") {
        "sts"
    } else {
        "iam"
    };
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    // A signature is not checked by any of the services, but its scope names the one that is meant.
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {service}.amazonaws.com\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: {}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20261120/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\
         \r\n{form}",
        form.len(),
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| std::io::Error::other("the answer is no HTTP"))
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    let body = &bytes[end + 4..];
    let body = if head.contains("transfer-encoding: chunked") {
        join_chunks(body)?
    } else {
        body.to_vec()
    };
    Some(Answer {
        status,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn join_chunks(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = bytes.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).ok()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        let start = line + 2;
        body.extend_from_slice(bytes.get(start..start + length)?);
        bytes = bytes.get(start + length + 2..)?;
    }
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunked_answers_are_joined() {
        let answer =
            parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<A>x&\r\n9\r\namp;y</A>\r\n0\r\n\r\n")
                .unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.element("A").as_deref(), Some("x&y"));
        assert_eq!(answer.error_code(), None);
    }
}
