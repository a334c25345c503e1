// Books, moves and cancels a visit by the inbound topic, then asks what became of each record.
// Run as one file: java -cp <kafka-clients, jackson-databind> Book.java

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

public class Book {
    static final String KAFKA = setting("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:19092");
    static final String TOPIC = setting("ATTEND_TOPIC", "bookings-inbound");
    static final String BOOKING = setting("ATTEND_BOOKING_URL", "http://127.0.0.1:8100");
    static final String CLINIC = setting("CLINIC", "EYE");
    static final String KEY = setting("ATTEND_KEY", null);

    static final ObjectMapper JSON = new ObjectMapper();
    static final HttpClient HTTP = HttpClient.newHttpClient();

    public static void main(String[] arguments) throws Exception {
        String visit = "java-" + UUID.randomUUID();
        String booked = event(visit, 1, """
            "status": "booked", "patient": {"id": "p-1"}, "clinic": "%s", "start": "%s"
            """.formatted(CLINIC, inDays(3)));
        String moved = event(visit, 2, """
            "status": "booked", "start": "%s"
            """.formatted(inDays(4)));
        String cancelled = event(visit, 3, """
            "status": "cancelled"
            """);

        Map<String, RecordMetadata> records = new LinkedHashMap<>();
        try (Producer<String, String> producer = producer()) {
            records.put("booked", send(producer, visit, booked));
            records.put("moved", send(producer, visit, moved));
            records.put("cancelled", send(producer, visit, cancelled));
            records.put("sent again", send(producer, visit, cancelled));
            records.put("wrong key", send(producer, "another-visit", event(visit, 4, "\"status\": \"booked\"")));
        }
        for (var entry : records.entrySet()) {
            String record = "%s/%d/%d".formatted(TOPIC, entry.getValue().partition(), entry.getValue().offset());
            JsonNode fate = fateOf(record);
            String result = fate.get("result").asText();
            String told = result.equals("refused")
                ? fate.get("code").asText() + ": " + fate.get("detail").asText()
                : "version " + fate.get("version").asInt();
            System.out.printf("%-10s  %s  %s, %s%n", entry.getKey(), record, result, told);
        }
    }

    /** Returns an event: the same has the same id however often it is sent, each later change a higher sequence. */
    static String event(String visit, int sequence, String appointment) {
        return """
            {"event_id": "%s-%d", "sequence": %d, "appointment": {"id": "%s", %s}}
            """.formatted(visit, sequence, sequence, visit, appointment);
    }

    /** Returns a producer that writes nothing twice and nothing out of order. */
    static Producer<String, String> producer() {
        Properties properties = new Properties();
        properties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, KAFKA);
        properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
    }

    /** Sends an event under the visit's id, which keeps the visit's events in order; returns where its record stands. */
    static RecordMetadata send(Producer<String, String> producer, String key, String event) throws Exception {
        ProducerRecord<String, String> record = new ProducerRecord<>(TOPIC, key, event);
        record.headers().add("content-type", "application/json".getBytes(StandardCharsets.US_ASCII));
        return producer.send(record).get();
    }

    /** Returns what became of a record, once it is read. */
    static JsonNode fateOf(String record) throws Exception {
        HttpRequest question = HttpRequest.newBuilder(URI.create(BOOKING + "/v1/inbound/records/" + record))
            .header("Authorization", "Bearer " + KEY)
            .build();
        for (int tries = 0; tries < 100; tries++) {
            var answer = HTTP.send(question, BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new IllegalStateException(answer.statusCode() + " " + answer.body());
            }
            JsonNode fate = JSON.readTree(answer.body());
            if (!fate.get("result").asText().equals("waiting")) {
                return fate;
            }
            Thread.sleep(Duration.ofMillis(200).toMillis());
        }
        throw new IllegalStateException(record + " is not read yet");
    }

    static Instant inDays(int days) {
        return Instant.now().plus(Duration.ofDays(days));
    }

    static String setting(String name, String usual) {
        String value = System.getenv().getOrDefault(name, usual);
        if (value == null) {
            throw new IllegalStateException(name + " is not set: the key of the client whose topic it is (attend key)");
        }
        return value;
    }
}
