// Writes the records behind the Java golden files: java -cp 'LIBS/*' Produce.java HOST:PORT
// One topic of one partition for each file; the topics must exist (the README lists them).
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Produce {
  static final long TIME = 1_700_000_000_000L;

  static byte[] text(String text) {
    return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
  }

  static ProducerRecord<byte[], byte[]> record(String topic, long time, String key, String value) {
    return new ProducerRecord<>(topic, 0, time, text(key), text(value));
  }

  static KafkaProducer<byte[], byte[]> producer(String servers, Map<String, String> settings) {
    Properties all = new Properties();
    all.put("bootstrap.servers", servers);
    all.put("linger.ms", "2000");
    all.put("batch.size", "1000000");
    all.put("enable.idempotence", "false");
    all.putAll(settings);
    return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
  }

  static void ordinary(KafkaProducer<byte[], byte[]> producer, String topic) {
    producer.send(record(topic, TIME, "key-0", "value-0"));
    producer.send(record(topic, TIME + 1, null, "null key"));
    producer.send(record(topic, TIME - 5, "null value, earlier than the first", null));
    producer.send(record(topic, TIME + 100_000, null, null));
    producer.send(record(topic, TIME + 3_000_000_000_000L, "", ""));
    ProducerRecord<byte[], byte[]> headers = record(topic, TIME + 6, "headers", "5 of them");
    headers.headers().add("a", text("1")).add("a", text("2")).add("null", null).add("empty", text(""))
        .add("ключ 🗝", text("значение"));
    producer.send(headers);
    producer.send(record(topic, TIME + 7, "long", "0123456789".repeat(30)));
  }

  public static void main(String[] arguments) {
    String servers = arguments[0];
    try (var producer = producer(servers, Map.of())) {
      ordinary(producer, "java-none");
    }
    for (String codec : new String[] {"gzip", "snappy", "lz4", "zstd"}) {
      try (var producer = producer(servers, Map.of("compression.type", codec))) {
        ordinary(producer, "java-" + codec);
        // Two more that need several blocks of every format.
        producer.send(record("java-" + codec, TIME + 8, "large", "tidemark ".repeat(10_000)));
        producer.send(record("java-" + codec, TIME + 9, "larger", "abcdefghijklmnopqrstuvwxyz".repeat(10_000)));
      }
    }
    try (var producer = producer(servers, Map.of())) {
      producer.send(record("java-log-append-time", TIME, "key-0", "value-0"));
      producer.send(record("java-log-append-time", TIME + 1, "key-1", "value-1"));
    }
    try (var producer = producer(servers, Map.of("enable.idempotence", "true", "acks", "all"))) {
      for (int batch = 0; batch < 3; batch++) {
        for (int index = 0; index < 4; index++) {
          producer.send(record("java-idempotent", TIME + index, "key-" + batch, "value-" + index));
        }
        producer.flush();
      }
    }
    Map<String, String> transactional =
        Map.of("transactional.id", "golden", "enable.idempotence", "true", "acks", "all", "compression.type", "zstd");
    try (var producer = producer(servers, transactional)) {
      producer.initTransactions();
      producer.beginTransaction();
      for (int index = 0; index < 3; index++) {
        producer.send(record("java-transactional", TIME + index, "committed", "value-" + index));
      }
      producer.commitTransaction();
      producer.beginTransaction();
      producer.send(record("java-transactional", TIME + 10, "aborted", "value"));
      producer.flush();
      producer.abortTransaction();
    }
  }
}
