import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.app.Connection;
import ca.uhn.hl7v2.llp.LLPException;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.parser.GenericModelClassFactory;
import ca.uhn.hl7v2.util.Terser;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/**
 * Sends messages as an interface engine does, one after the other, with HAPI's own client of MLLP.
 *
 * <p>{@code java -cp … Send.java HOST PORT TIMEOUT_MS}: a message a line on standard input, `\r` in it written as `|CR|`.
 * What is not acknowledged in time is sent again over a new connection, until it is. Prints for each message
 * {@code CONTROL_ID CODE TRIES}.
 */
public class Send {
  public static void main(String[] arguments) throws Exception {
    String host = arguments[0];
    int port = Integer.parseInt(arguments[1]);
    long timeout = Long.parseLong(arguments[2]);
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (var context = new DefaultHapiContext(new GenericModelClassFactory())) {
      context.setValidationContext(ValidationContextFactory.noValidation());
      Connection connection = null;
      for (String line; (line = input.readLine()) != null; ) {
        Message message = context.getGenericParser().parse(line.replace("|CR|", "\r"));
        String id = new Terser(message).get("/MSH-10");
        for (int tries = 1; ; tries++) {
          try {
            if (connection == null) connection = context.newClient(host, port, false);
            connection.getInitiator().setTimeout(timeout, TimeUnit.MILLISECONDS);
            Message answer = connection.getInitiator().sendAndReceive(message);
            String code = new Terser(answer).get("/.MSA-1");
            if (code.equals("AE")) throw new HL7Exception("later");
            System.out.println(id + " " + code + " " + tries);
            break;
          } catch (HL7Exception | LLPException | java.io.IOException later) {
            if (connection != null) connection.close();
            connection = null;
            Thread.sleep(100);
          }
        }
      }
      if (connection != null) connection.close();
    }
    System.exit(0);
  }
}
