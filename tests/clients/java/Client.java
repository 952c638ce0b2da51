// The AWS SDK for Java v2 as it is, in the environment that Remit gave. Where the requests go (AWS_ENDPOINT_URL, HTTP_PROXY,
// HTTPS_PROXY) and which certificates count (JAVA_TOOL_OPTIONS) is the environment's to say; nothing here names an address.
//
//   Client s3 FORM SIZE BUCKET KEY PATTERN   put the pattern in one form, read it back
//   Client services                          one write and one read of each of several services
//   Client events MODEL                      a stream of signed messages, each answered before the next
//
// Prints one JSON line for each step: {"step", "ok", "error"}.

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.ProxyConfiguration;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelWithBidirectionalStreamInput;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelWithBidirectionalStreamResponseHandler;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sts.StsClient;

public class Client {
  interface Work {
    void run() throws Exception;
  }

  static void step(String name, Work work) {
    try {
      work.run();
      System.out.println("{\"step\":\"" + name + "\",\"ok\":true}");
    } catch (Throwable wrong) {
      String text = wrong.toString().replace("\\", "/").replace("\"", "'").replaceAll("\\s+", " ");
      System.out.println("{\"step\":\"" + name + "\",\"ok\":false,\"error\":\"" + text + "\"}");
    }
  }

  static byte[] pattern(Path file, int size) throws Exception {
    byte[] period = Files.readAllBytes(file);
    byte[] whole = new byte[size];
    for (int at = 0; at < size; at += period.length) {
      System.arraycopy(period, 0, whole, at, Math.min(period.length, size - at));
    }
    return whole;
  }

  static void same(InputStream got, byte[] whole) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    byte[] buffer = new byte[1 << 16];
    for (int count; (count = got.read(buffer)) >= 0;) digest.update(buffer, 0, count);
    if (!MessageDigest.isEqual(digest.digest(), MessageDigest.getInstance("SHA-256").digest(whole))) {
      throw new IllegalStateException("what was read back is not what was written");
    }
  }

  // A presigned request, sent by the SDK's plain HTTP client (Java's own reads no proxy from the environment).
  static InputStream fetch(SdkHttpRequest presigned, byte[] body) throws Exception {
    HttpExecuteRequest.Builder request = HttpExecuteRequest.builder().request(presigned);
    if (body != null) {
      request.request(presigned.toBuilder().putHeader("Content-Length", Integer.toString(body.length)).build());
      request.contentStreamProvider(() -> new ByteArrayInputStream(body));
    }
    HttpExecuteResponse answer = ApacheHttpClient.create().prepareRequest(request.build()).call();
    if (!answer.httpResponse().isSuccessful()) throw new IllegalStateException("status " + answer.httpResponse().statusCode());
    return answer.responseBody().map(stream -> (InputStream) stream).orElse(InputStream.nullInputStream());
  }

  static void s3(String form, int size, String bucket, String key, Path file) throws Exception {
    byte[] whole = pattern(file, size);
    S3ClientBuilder builder = S3Client.builder().overrideConfiguration(o -> o.retryStrategy(r -> r.maxAttempts(1)));
    if (form.equals("unsigned")) {
      builder.requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED).serviceConfiguration(c -> c.chunkedEncodingEnabled(false));
    }
    S3Client client = builder.build();
    switch (form) {
      case "buffer":
      case "unsigned":
        client.putObject(r -> r.bucket(bucket).key(key), RequestBody.fromBytes(whole));
        break;
      case "stream":
        InputStream halves = new SequenceInputStream(Collections.enumeration(List.of(
            new ByteArrayInputStream(whole, 0, size / 2), new ByteArrayInputStream(whole, size / 2, size - size / 2))));
        client.putObject(r -> r.bucket(bucket).key(key), RequestBody.fromInputStream(halves, size));
        break;
      case "multipart": {
        String upload = client.createMultipartUpload(r -> r.bucket(bucket).key(key)).uploadId();
        List<CompletedPart> parts = new ArrayList<>();
        int most = 5 << 20;
        for (int at = 0; at < size; at += most) {
          int number = at / most + 1;
          byte[] piece = java.util.Arrays.copyOfRange(whole, at, Math.min(size, at + most));
          String tag = client.uploadPart(r -> r.bucket(bucket).key(key).uploadId(upload).partNumber(number), RequestBody.fromBytes(piece)).eTag();
          parts.add(CompletedPart.builder().partNumber(number).eTag(tag).build());
        }
        client.completeMultipartUpload(r -> r.bucket(bucket).key(key).uploadId(upload).multipartUpload(m -> m.parts(parts)));
        break;
      }
      case "async":
        try (S3AsyncClient async = S3AsyncClient.create()) {
          async.putObject(r -> r.bucket(bucket).key(key), AsyncRequestBody.fromBytes(whole)).join();
          same(async.getObject(r -> r.bucket(bucket).key(key), AsyncResponseTransformer.toBytes()).join().asInputStream(), whole);
        }
        break;
      case "presigned":
        try (S3Presigner presigner = presigner()) {
          var put = presigner.presignPutObject(p -> p.signatureDuration(Duration.ofMinutes(5)).putObjectRequest(r -> r.bucket(bucket).key(key)));
          fetch(put.httpRequest(), whole);
          var get = presigner.presignGetObject(p -> p.signatureDuration(Duration.ofMinutes(5)).getObjectRequest(r -> r.bucket(bucket).key(key)));
          same(fetch(get.httpRequest(), null), whole);
        }
        return;
      default:
        throw new IllegalArgumentException(form);
    }
    same(client.getObject(r -> r.bucket(bucket).key(key)), whole);
  }

  // The presigner reads no AWS_ENDPOINT_URL and knows no path style for an address: both must be said in code.
  static S3Presigner presigner() {
    S3Presigner.Builder builder = S3Presigner.builder();
    String endpoint = System.getenv("AWS_ENDPOINT_URL");
    if (endpoint != null) {
      builder.endpointOverride(java.net.URI.create(endpoint))
          .serviceConfiguration(software.amazon.awssdk.services.s3.S3Configuration.builder().pathStyleAccessEnabled(true).build());
    }
    return builder.build();
  }

  static void services() {
    String stamp = "java" + Long.toString(System.nanoTime(), 36);
    step("sts", () -> StsClient.create().getCallerIdentity());
    step("dynamodb", () -> {
      DynamoDbClient db = DynamoDbClient.create();
      Map<String, AttributeValue> item = Map.of("id", AttributeValue.fromS(stamp));
      db.putItem(r -> r.tableName("orders").item(item));
      if (!db.getItem(r -> r.tableName("orders").key(item)).hasItem()) throw new IllegalStateException("no item");
    });
    step("sqs", () -> {
      SqsClient sqs = SqsClient.create();
      String url = sqs.createQueue(r -> r.queueName(stamp)).queueUrl();
      sqs.sendMessage(r -> r.queueUrl(url).messageBody("hello"));
      var got = sqs.receiveMessage(r -> r.queueUrl(url)).messages();
      if (got.size() != 1 || !got.get(0).body().equals("hello")) throw new IllegalStateException("another message came back");
    });
    step("sns", () -> {
      SnsClient sns = SnsClient.create();
      String topic = sns.createTopic(r -> r.name(stamp)).topicArn();
      sns.publish(r -> r.topicArn(topic).message("hello & goodbye + more"));
    });
    step("lambda", () -> LambdaClient.create().listFunctions());
    step("kms", () -> {
      KmsClient kms = KmsClient.create();
      String id = kms.createKey().keyMetadata().keyId();
      SdkBytes sealed = kms.encrypt(r -> r.keyId(id).plaintext(SdkBytes.fromUtf8String("hello"))).ciphertextBlob();
      kms.decrypt(r -> r.ciphertextBlob(sealed));
    });
    step("secretsmanager", () -> {
      SecretsManagerClient secrets = SecretsManagerClient.create();
      secrets.createSecret(r -> r.name(stamp).secretString("hello"));
      secrets.getSecretValue(r -> r.secretId(stamp));
    });
    step("logs", () -> {
      CloudWatchLogsClient logs = CloudWatchLogsClient.create();
      logs.createLogGroup(r -> r.logGroupName(stamp));
      logs.createLogStream(r -> r.logGroupName(stamp).logStreamName(stamp));
      logs.putLogEvents(r -> r.logGroupName(stamp).logStreamName(stamp)
          .logEvents(e -> e.message("hello").timestamp(System.currentTimeMillis())));
    });
  }

  // Gives out what it is offered, when it is asked for it.
  static class Source implements org.reactivestreams.Publisher<InvokeModelWithBidirectionalStreamInput> {
    private final LinkedBlockingQueue<SdkBytes> offered = new LinkedBlockingQueue<>();
    private static final SdkBytes END = SdkBytes.fromUtf8String("");

    void offer(SdkBytes bytes) {
      offered.add(bytes);
    }

    void end() {
      offered.add(END);
    }

    @Override
    public void subscribe(org.reactivestreams.Subscriber<? super InvokeModelWithBidirectionalStreamInput> taker) {
      Semaphore wanted = new Semaphore(0);
      Thread thread = new Thread(() -> {
        try {
          while (true) {
            SdkBytes next = offered.take();
            if (next == END) break;
            wanted.acquire();
            taker.onNext(InvokeModelWithBidirectionalStreamInput.chunkBuilder().bytes(next).build());
          }
          taker.onComplete();
        } catch (InterruptedException gone) {
          taker.onError(gone);
        }
      });
      thread.setDaemon(true);
      taker.onSubscribe(new org.reactivestreams.Subscription() {
        @Override
        public void request(long count) {
          wanted.release((int) Math.min(count, 1 << 20));
        }

        @Override
        public void cancel() {
          thread.interrupt();
        }
      });
      thread.start();
    }
  }

  // A conversation with a model: the SDK's Netty client speaks HTTP/2 for it.
  static void events(String model) throws Exception {
    LinkedBlockingQueue<SdkBytes> answers = new LinkedBlockingQueue<>();
    var handler = InvokeModelWithBidirectionalStreamResponseHandler.builder()
        .subscriber(InvokeModelWithBidirectionalStreamResponseHandler.Visitor.builder().onChunk(chunk -> answers.add(chunk.bytes())).build())
        .build();
    var http = NettyNioAsyncHttpClient.builder();
    String proxy = System.getenv("AWS_ENDPOINT_URL") == null ? System.getenv("HTTPS_PROXY") : null;
    if (proxy != null) {
      http.proxyConfiguration(ProxyConfiguration.builder().useEnvironmentVariableValues(true).build());
    }
    try (BedrockRuntimeAsyncClient client = BedrockRuntimeAsyncClient.builder().httpClientBuilder(http.protocol(Protocol.HTTP2)).build()) {
      Source source = new Source();
      CompletableFuture<Void> done = client.invokeModelWithBidirectionalStream(r -> r.modelId(model), source, handler);
      for (int number = 0; number < 5; number++) {
        SdkBytes text = SdkBytes.fromUtf8String("message " + number);
        source.offer(text);
        SdkBytes answer = null;
        for (int tenths = 0; answer == null && tenths < 200 && !done.isCompletedExceptionally(); tenths++) {
          answer = answers.poll(100, TimeUnit.MILLISECONDS);
        }
        if (answer == null) {
          if (done.isDone()) done.join();
          throw new IllegalStateException("no answer to message " + number);
        }
        if (!answer.equals(text)) throw new IllegalStateException("another answer than message " + number);
      }
      source.end();
      done.get(20, TimeUnit.SECONDS);
    }
  }

  public static void main(String[] arguments) {
    if (arguments[0].equals("services")) {
      services();
    } else if (arguments[0].equals("events")) {
      step("events", () -> events(arguments[1]));
    } else {
      step("s3", () -> s3(arguments[1], Integer.parseInt(arguments[2]), arguments[3], arguments[4], Path.of(arguments[5])));
    }
    System.exit(0);
  }
}
