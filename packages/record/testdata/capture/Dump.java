// Prints what Kafka's own classes read from a log segment, as the JSON beside each golden file:
// java -cp 'LIBS/*' Dump.java FILE
import java.io.File;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.FileLogInputStream;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.Record;

public class Dump {
  static final StringBuilder out = new StringBuilder();

  static String hex(byte[] bytes) throws Exception {
    if (bytes == null) return "null";
    if (bytes.length <= 400) return '"' + HexFormat.of().formatHex(bytes) + '"';
    String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    return "{\"length\":" + bytes.length + ",\"sha256\":\"" + digest + "\"}";
  }

  static byte[] bytes(ByteBuffer buffer) {
    if (buffer == null) return null;
    byte[] copy = new byte[buffer.remaining()];
    buffer.duplicate().get(copy);
    return copy;
  }

  public static void main(String[] arguments) throws Exception {
    String separator = "";
    out.append('[');
    for (FileLogInputStream.FileChannelRecordBatch batch : FileRecords.open(new File(arguments[0])).batches()) {
      out.append(separator).append(String.format(
          "{\"at\":%d,\"baseOffset\":%d,\"lastOffset\":%d,\"sizeBytes\":%d,\"partitionLeaderEpoch\":%d,\"crc\":%d,"
              + "\"compression\":\"%s\",\"timestampType\":\"%s\",\"isTransactional\":%b,\"isControl\":%b,"
              + "\"maxTimestamp\":%d,\"producerId\":%d,\"producerEpoch\":%d,\"baseSequence\":%d,\"recordCount\":%d,"
              + "\"records\":[",
          batch.position(), batch.baseOffset(), batch.lastOffset(), batch.sizeInBytes(), batch.partitionLeaderEpoch(),
          batch.checksum(), batch.compressionType().name, batch.timestampType().name, batch.isTransactional(),
          batch.isControlBatch(), batch.maxTimestamp(), batch.producerId(), batch.producerEpoch(),
          batch.baseSequence(), batch.countOrNull()));
      separator = ",";
      String comma = "";
      for (Record record : batch) {
        out.append(comma).append(String.format("{\"offset\":%d,\"timestampMs\":%d,\"key\":%s,\"value\":%s,\"headers\":[",
            record.offset(), record.timestamp(), hex(bytes(record.key())), hex(bytes(record.value()))));
        comma = ",";
        String between = "";
        for (Header header : record.headers()) {
          out.append(between).append("{\"key\":\"").append(header.key()).append("\",\"value\":")
              .append(hex(header.value())).append('}');
          between = ",";
        }
        out.append("]}");
      }
      out.append("]}");
    }
    System.out.println(out.append(']'));
  }
}
