//! The AWS SDK for Rust as it is, in the environment that Remit gave. Where the requests go (AWS_ENDPOINT_URL,
//! HTTPS_PROXY) and which certificates count (SSL_CERT_FILE) is the environment's to say; nothing here names an address.
//!
//!   client s3 FORM SIZE BUCKET KEY PATTERN   put the pattern in one form, read it back
//!   client events MODEL                      a stream of signed messages, each answered before the next
//!   client services                          one write and one read of each of several services
//!
//! Prints one JSON line for each step: {"step", "ok", "error"}.

use aws_config::retry::RetryConfig;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::{Blob, ByteStream};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::future::Future;
use std::time::Duration;

type Done = Result<(), Box<dyn Error>>;

fn say(step: &str, done: Done) {
    match done {
        Ok(()) => println!("{{\"step\":\"{step}\",\"ok\":true}}"),
        Err(wrong) => {
            let text = format!("{}", DisplayErrorContext(wrong.as_ref()));
            let text = text.replace(['\\', '"', '\n', '\t'], " ");
            println!("{{\"step\":\"{step}\",\"ok\":false,\"error\":\"{text}\"}}");
        }
    }
}

async fn step(name: &str, work: impl Future<Output = Done>) {
    say(name, work.await);
}

fn check(right: bool, why: &str) -> Done {
    if right { Ok(()) } else { Err(why.into()) }
}

fn pattern(file: &str, size: usize) -> Vec<u8> {
    let period = std::fs::read(file).unwrap();
    period.iter().cycle().take(size).copied().collect()
}

fn same(got: &[u8], whole: &[u8]) -> Done {
    check(Sha256::digest(got) == Sha256::digest(whole), "what was read back is not what was written")
}

async fn s3(config: &aws_config::SdkConfig, form: &str, size: usize, bucket: &str, key: &str, file: &str) -> Done {
    let client = aws_sdk_s3::Client::new(config);
    let whole = pattern(file, size);
    match form {
        "buffer" => {
            client.put_object().bucket(bucket).key(key).body(ByteStream::from(whole.clone())).send().await?;
        }
        "stream" => {
            let path = std::env::temp_dir().join("body");
            std::fs::write(&path, &whole)?;
            let body = ByteStream::read_from().path(&path).build().await?;
            client.put_object().bucket(bucket).key(key).body(body).send().await?;
            std::fs::remove_file(&path)?;
        }
        "multipart" => {
            let made = client.create_multipart_upload().bucket(bucket).key(key).send().await?;
            let upload = made.upload_id().unwrap_or_default();
            let mut parts = Vec::new();
            for (at, piece) in whole.chunks(5 << 20).enumerate() {
                let number = at as i32 + 1;
                let body = ByteStream::from(piece.to_vec());
                let part = client.upload_part().bucket(bucket).key(key).upload_id(upload).part_number(number).body(body).send().await?;
                parts.push(CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).build());
            }
            let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
            client.complete_multipart_upload().bucket(bucket).key(key).upload_id(upload).multipart_upload(parts).send().await?;
        }
        "presigned" => {
            let expires = PresigningConfig::expires_in(Duration::from_secs(300))?;
            let http = reqwest::Client::new();
            let put = client.put_object().bucket(bucket).key(key).presigned(expires.clone()).await?;
            let mut request = http.put(put.uri()).body(whole.clone());
            for (name, value) in put.headers() {
                request = request.header(name, value);
            }
            request.send().await?.error_for_status()?;
            let get = client.get_object().bucket(bucket).key(key).presigned(expires).await?;
            let answer = http.get(get.uri()).send().await?.error_for_status()?;
            return same(&answer.bytes().await?, &whole);
        }
        _ => return Err("no such form".into()),
    }
    let got = client.get_object().bucket(bucket).key(key).send().await?;
    same(&got.body.collect().await?.into_bytes(), &whole)
}

async fn events(config: &aws_config::SdkConfig, model: &str) -> Done {
    use aws_sdk_bedrockruntime::types::error::InvokeModelWithBidirectionalStreamInputError;
    use aws_sdk_bedrockruntime::types::{
        BidirectionalInputPayloadPart, InvokeModelWithBidirectionalStreamInput, InvokeModelWithBidirectionalStreamOutput,
    };
    let (send, receive) = tokio::sync::mpsc::channel::<
        Result<InvokeModelWithBidirectionalStreamInput, InvokeModelWithBidirectionalStreamInputError>,
    >(4);
    let part = |number: i32| {
        let bytes = aws_sdk_bedrockruntime::primitives::Blob::new(format!("message {number}"));
        Ok(InvokeModelWithBidirectionalStreamInput::Chunk(BidirectionalInputPayloadPart::builder().bytes(bytes).build()))
    };
    send.send(part(0)).await?;
    let stream = tokio_stream::wrappers::ReceiverStream::new(receive);
    let client = aws_sdk_bedrockruntime::Client::new(config);
    let mut output = client.invoke_model_with_bidirectional_stream().model_id(model).body(stream.into()).send().await?;
    for number in 0..3 {
        let answer = tokio::time::timeout(Duration::from_secs(10), output.body.recv()).await??;
        let right = match answer {
            Some(InvokeModelWithBidirectionalStreamOutput::Chunk(part)) => {
                part.bytes().map(|bytes| bytes.as_ref() == format!("message {number}").as_bytes()).unwrap_or(false)
            }
            _ => false,
        };
        check(right, "another answer than the message")?;
        if number < 2 {
            send.send(part(number + 1)).await?;
        }
    }
    drop(send);
    check(output.body.recv().await?.is_none(), "more answers than messages")
}

async fn services(config: &aws_config::SdkConfig) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let stamp = format!("rust{}", now.as_nanos());
    step("sts", async {
        aws_sdk_sts::Client::new(config).get_caller_identity().send().await?;
        Ok(())
    })
    .await;
    step("dynamodb", async {
        use aws_sdk_dynamodb::types::AttributeValue;
        let client = aws_sdk_dynamodb::Client::new(config);
        client.put_item().table_name("orders").item("id", AttributeValue::S(stamp.clone())).send().await?;
        let got = client.get_item().table_name("orders").key("id", AttributeValue::S(stamp.clone())).send().await?;
        check(got.item.is_some(), "no item")
    })
    .await;
    step("sqs", async {
        let client = aws_sdk_sqs::Client::new(config);
        let made = client.create_queue().queue_name(&stamp).send().await?;
        let url = made.queue_url().unwrap_or_default();
        client.send_message().queue_url(url).message_body("hello").send().await?;
        let got = client.receive_message().queue_url(url).send().await?;
        check(got.messages().len() == 1 && got.messages()[0].body() == Some("hello"), "another message came back")
    })
    .await;
    step("sns", async {
        let client = aws_sdk_sns::Client::new(config);
        let topic = client.create_topic().name(&stamp).send().await?;
        client.publish().topic_arn(topic.topic_arn().unwrap_or_default()).message("hello & goodbye + more").send().await?;
        Ok(())
    })
    .await;
    step("lambda", async {
        aws_sdk_lambda::Client::new(config).list_functions().send().await?;
        Ok(())
    })
    .await;
    step("kms", async {
        let client = aws_sdk_kms::Client::new(config);
        let made = client.create_key().send().await?;
        let id = made.key_metadata().map(|key| key.key_id().to_string()).unwrap_or_default();
        let sealed = client.encrypt().key_id(id).plaintext(Blob::new("hello")).send().await?;
        client.decrypt().ciphertext_blob(sealed.ciphertext_blob.unwrap_or(Blob::new(""))).send().await?;
        Ok(())
    })
    .await;
    step("secretsmanager", async {
        let client = aws_sdk_secretsmanager::Client::new(config);
        client.create_secret().name(&stamp).secret_string("hello").send().await?;
        client.get_secret_value().secret_id(&stamp).send().await?;
        Ok(())
    })
    .await;
    step("logs", async {
        let client = aws_sdk_cloudwatchlogs::Client::new(config);
        client.create_log_group().log_group_name(&stamp).send().await?;
        client.create_log_stream().log_group_name(&stamp).log_stream_name(&stamp).send().await?;
        let event = aws_sdk_cloudwatchlogs::types::InputLogEvent::builder()
            .message("hello").timestamp(now.as_millis() as i64).build()?;
        client.put_log_events().log_group_name(&stamp).log_stream_name(&stamp).log_events(event).send().await?;
        Ok(())
    })
    .await;
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let config = aws_config::from_env().retry_config(RetryConfig::disabled()).load().await;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments[0].as_str() {
        "s3" => {
            let size = arguments[2].parse().unwrap();
            step("s3", s3(&config, &arguments[1], size, &arguments[3], &arguments[4], &arguments[5])).await;
        }
        "events" => step("events", events(&config, &arguments[1])).await,
        _ => services(&config).await,
    }
}
