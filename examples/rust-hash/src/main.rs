//! Hashes text with SHA-256, as often as asked: each round hashes the digest of the round before.
use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const MAX_ROUNDS: u32 = 10_000_000;

#[derive(Deserialize)]
struct Request {
    text: String,
    #[serde(default = "one")]
    rounds: u32,
}

fn one() -> u32 {
    1
}

#[derive(Serialize)]
struct Answer {
    algorithm: &'static str,
    rounds: u32,
    bytes: usize,
    digest: String,
}

async fn hash(event: LambdaEvent<Request>) -> Result<Answer, Error> {
    let Request { text, rounds } = event.payload;
    if rounds == 0 || rounds > MAX_ROUNDS {
        return Err(format!("rounds must be between 1 and {MAX_ROUNDS}, not {rounds}").into());
    }
    let mut digest = Sha256::digest(text.as_bytes());
    for _ in 1..rounds {
        digest = Sha256::digest(digest);
    }
    Ok(Answer {
        algorithm: "sha256",
        rounds,
        bytes: text.len(),
        digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(hash)).await
}
