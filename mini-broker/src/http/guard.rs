//! Who may ask. A page in a browser reaches every port of the machine that the browser runs on, so listening on
//! 127.0.0.1 keeps other machines out and not other sites: a foreign name that suddenly means 127.0.0.1 (DNS
//! rebinding), and a foreign page that sends a form here (CSRF).
//!
//! - The Host must be a name of this machine itself, with our port.
//! - What another site's page sends is refused; following a link from there is not.
//! - Whatever changes something must carry the key that stands in our own forms, which no other site can read.
//! - Beyond this machine, all of it needs a token.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, HeaderMap, HeaderName,
    HeaderValue, LOCATION, ORIGIN, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::cli::terminal;

/// Shorter ones are guessed.
pub const SHORTEST_TOKEN: usize = 16;
const COOKIE_NAME: &str = "mini-broker-token";

/// Nothing but what this server itself sends, and nobody may put it into a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub struct Guard {
    /// What may stand in Host.
    hosts: Vec<String>,
    token: Option<String>,
    /// Stands in every form of ours.
    pub form_key: String,
}

impl Guard {
    /// For a server that listens here and was named so on the command line. With a token any Host may be used: whoever
    /// knows it is no stranger.
    pub fn new(at: SocketAddr, named: &str, token: Option<String>) -> Self {
        let port = at.port();
        let names = ["127.0.0.1", "localhost", "[::1]", named];
        let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
        hosts.push(at.to_string());
        if port == 80 {
            hosts.extend(names.iter().map(|name| (*name).to_owned()));
        }
        let form_key = format!("{:016x}{:016x}", terminal::seed(), terminal::seed());
        Guard { hosts, token, form_key }
    }

    fn is_ours(&self, host: &str) -> bool {
        self.token.is_some() || self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host))
    }

    /// Whether a request may be answered at all. The error is a sentence.
    fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let text = |name: HeaderName| match headers.get(name) {
            Some(value) => value.to_str().map(Some).map_err(|_| Refusal::NotText),
            None => Ok(None),
        };
        let host = text(HOST)?.ok_or(Refusal::NoHost)?;
        if headers.get_all(HOST).iter().count() > 1 {
            return Err(Refusal::NoHost);
        }
        // A request may name it a second time, before its path.
        let named = uri.authority().map_or(host, |authority| authority.as_str());
        for host in [host, named] {
            if !self.is_ours(host) {
                return Err(Refusal::Host(host.to_owned()));
            }
        }
        if let Some(origin) = text(ORIGIN)?
            && !origin.eq_ignore_ascii_case(&format!("http://{host}"))
        {
            return Err(Refusal::Origin(origin.to_owned()));
        }
        // Browsers say from where a request comes. Whoever follows a link from elsewhere may look.
        let from = text(HeaderName::from_static("sec-fetch-site"))?;
        let mode = text(HeaderName::from_static("sec-fetch-mode"))?;
        let looks = *method == Method::GET && mode == Some("navigate");
        if let Some(from @ ("cross-site" | "same-site")) = from
            && !looks
        {
            return Err(Refusal::Origin(from.to_owned()));
        }
        match &self.token {
            Some(token) if !shows(token, headers) => Err(Refusal::NoToken),
            _ => Ok(()),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    NotText,
    NoHost,
    Host(String),
    Origin(String),
    NoToken,
}

impl Refusal {
    fn answer(self) -> (StatusCode, String) {
        match self {
            Refusal::NotText => {
                (StatusCode::BAD_REQUEST, "Host or Origin is not text; expected ASCII".into())
            }
            Refusal::NoHost => {
                (StatusCode::BAD_REQUEST, "expected one Host header, as HTTP/1.1 wants it".into())
            }
            Refusal::Host(host) => (
                StatusCode::FORBIDDEN,
                format!("Host {host:?} is no name of this server; expected 127.0.0.1 or localhost with its port"),
            ),
            Refusal::Origin(origin) => (
                StatusCode::FORBIDDEN,
                format!("this comes from another site ({origin}); only pages of this server may do that"),
            ),
            Refusal::NoToken => (
                StatusCode::UNAUTHORIZED,
                "expected the token of --http-token: open /?token=… once, or send Authorization: Bearer …"
                    .into(),
            ),
        }
    }
}

/// Whether the request shows the token: as a bearer's, or in the cookie that it got for it.
fn shows(token: &str, headers: &HeaderMap) -> bool {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookie = cookies
        .flat_map(|all| all.split(';'))
        .filter_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='));
    bearer.into_iter().chain(cookie).any(|shown| same(shown, token))
}

/// Takes as long for a wrong beginning as for a wrong end.
pub fn same(one: &str, other: &str) -> bool {
    let differ = one.bytes().zip(other.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    one.len() == other.len() && differ == 0
}

/// A token in the address: good for a cookie, and for nothing else. It does not stay in the address.
fn exchange(guard: &Guard, method: &Method, uri: &Uri) -> Option<Response> {
    let token = guard.token.as_deref().filter(|_| *method == Method::GET)?;
    let pairs = uri.query()?.split('&');
    let (shown, others): (Vec<&str>, Vec<&str>) =
        pairs.partition(|pair| pair.starts_with("token="));
    let shown = shown.first()?.strip_prefix("token=")?;
    if !same(shown, token) {
        return None;
    }
    // With two slashes in front a browser takes what follows for another server's name.
    let path = uri.path().trim_start_matches(['/', '\\']);
    let path = match others.is_empty() {
        true => format!("/{path}"),
        false => format!("/{path}?{}", others.join("&")),
    };
    let cookie = format!("{COOKIE_NAME}={token}; HttpOnly; SameSite=Strict; Path=/");
    let headers = [(LOCATION, path), (SET_COOKIE, cookie)];
    Some((StatusCode::SEE_OTHER, headers).into_response())
}

/// Stands before everything else.
pub async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let mut response = match guard.judge(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(Refusal::NoToken)
            if let Some(answer) = exchange(&guard, request.method(), request.uri()) =>
        {
            answer
        }
        Err(refusal) => {
            let (status, sentence) = refusal.answer();
            (status, format!("{sentence}\n")).into_response()
        }
    };
    let headers = response.headers_mut();
    let fixed = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // With "no-referrer" browsers would also keep silent about where our own forms come from.
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Whether an address is this machine's alone.
pub fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|it| it.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(
        guard: &Guard,
        method: &Method,
        headers: &[(&'static str, &str)],
    ) -> Result<(), Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        guard.judge(method, &"/topic".parse().unwrap(), &map)
    }

    fn guard(token: Option<&str>) -> Guard {
        let at = "127.0.0.1:9080".parse().unwrap();
        Guard::new(at, "127.0.0.1", token.map(str::to_owned))
    }

    #[test]
    fn only_names_of_this_machine_with_our_port() {
        let guard = guard(None);
        for host in ["127.0.0.1:9080", "localhost:9080", "LocalHost:9080", "[::1]:9080"] {
            assert_eq!(judge(&guard, &Method::GET, &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example:9080",
            "127.0.0.1:9081",
            "127.0.0.1",
            "localhost.evil.example:9080",
            "127.0.0.1:9080.evil.example",
            "",
        ] {
            let refused = Err(Refusal::Host(host.to_owned()));
            assert_eq!(judge(&guard, &Method::GET, &[("host", host)]), refused, "{host}");
        }
        assert_eq!(judge(&guard, &Method::GET, &[]), Err(Refusal::NoHost));
        let twice = [("host", "127.0.0.1:9080"), ("host", "evil.example")];
        assert_eq!(judge(&guard, &Method::GET, &twice), Err(Refusal::NoHost));
        let uri = "http://evil.example/".parse().unwrap();
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("127.0.0.1:9080"))]);
        let refused = Err(Refusal::Host("evil.example".into()));
        assert_eq!(guard.judge(&Method::GET, &uri, &headers), refused);
    }

    #[test]
    fn what_another_site_sends_is_refused_and_its_links_are_not() {
        let guard = guard(None);
        let host = ("host", "127.0.0.1:9080");
        let own = ("origin", "http://127.0.0.1:9080");
        assert_eq!(judge(&guard, &Method::POST, &[host, own]), Ok(()));
        for origin in
            ["http://evil.example", "null", "https://127.0.0.1:9080", "http://localhost:9080"]
        {
            let refused = Err(Refusal::Origin(origin.to_owned()));
            let origin = ("origin", origin);
            assert_eq!(judge(&guard, &Method::POST, &[host, origin]), refused);
            assert_eq!(judge(&guard, &Method::GET, &[host, origin]), refused);
        }
        let cross = ("sec-fetch-site", "cross-site");
        let link = [host, cross, ("sec-fetch-mode", "navigate")];
        assert_eq!(judge(&guard, &Method::GET, &link), Ok(()));
        let refused = || Err(Refusal::Origin("cross-site".to_owned()));
        assert_eq!(judge(&guard, &Method::POST, &link), refused());
        assert_eq!(
            judge(&guard, &Method::GET, &[host, cross, ("sec-fetch-mode", "no-cors")]),
            refused()
        );
    }

    #[test]
    fn beyond_this_machine_a_token_is_shown_by_whoever_asks() {
        let guard = guard(Some("0123456789abcdef"));
        let host = ("host", "192.168.0.7:9080");
        assert_eq!(judge(&guard, &Method::GET, &[host]), Err(Refusal::NoToken));
        let right = [
            ("authorization", "Bearer 0123456789abcdef"),
            ("cookie", "a=b; mini-broker-token=0123456789abcdef; c=d"),
        ];
        for shown in right {
            assert_eq!(judge(&guard, &Method::GET, &[host, shown]), Ok(()), "{shown:?}");
        }
        let wrong = [
            ("authorization", "Bearer 0123456789abcdeF"),
            ("authorization", "Bearer "),
            ("authorization", "0123456789abcdef"),
            ("cookie", "mini-broker-token=0123456789abcde"),
            ("cookie", "mini-broker-tokens=0123456789abcdef"),
        ];
        for shown in wrong {
            assert_eq!(
                judge(&guard, &Method::GET, &[host, shown]),
                Err(Refusal::NoToken),
                "{shown:?}"
            );
        }
    }

    #[test]
    fn a_token_in_the_address_becomes_a_cookie_and_leaves_the_address() {
        let guard = guard(Some("0123456789abcdef"));
        let exchanged = |uri: &str| exchange(&guard, &Method::GET, &uri.parse().unwrap());
        let answer = exchanged("/topic?a=b&token=0123456789abcdef").unwrap();
        assert_eq!(answer.headers()[LOCATION], "/topic?a=b");
        assert!(
            answer.headers()[SET_COOKIE].to_str().unwrap().contains("HttpOnly; SameSite=Strict")
        );
        let answer = exchanged("//evil.example/?token=0123456789abcdef").unwrap();
        assert_eq!(answer.headers()[LOCATION], "/evil.example/");
        assert!(exchanged("/topic?token=0123456789abcdee").is_none());
        assert!(exchanged("/topic").is_none());
    }
}
