// Runs Kafka's own commands (TopicCommand, ConsoleProducer, …) one after the other in one Java VM, because starting
// a VM for each of a hundred commands would take minutes. One JSON line in, one out:
//
//   {"class": "org.apache.kafka.tools.TopicCommand", "args": ["--list", …], "stdin": "text"}
//   {"status": 0, "stdout": "…", "stderr": "…"}
//
// Input and output of a command travel as text, one character a byte (latin-1).

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.*;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.common.utils.Exit;

public class Tools {
    // Commands end by Exit.exit, which here must not end the VM. Some catch what is thrown instead, print it and
    // exit again, with another status: the first one counts, and what follows it would never have been seen.
    static class Ended extends RuntimeException {}

    static Integer ended;

    static void end(int status, String message) {
        if (ended == null) {
            ended = status;
            System.setOut(new PrintStream(OutputStream.nullOutputStream()));
            System.setErr(System.out);
        }
        throw new Ended();
    }

    public static void main(String[] args) throws Exception {
        var json = new ObjectMapper();
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        var hooks = new ArrayList<Runnable>();
        Exit.setExitProcedure(Tools::end);
        Exit.setHaltProcedure(Tools::end);
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
        for (String line; (line = in.readLine()) != null; ) {
            var request = json.readTree(line);
            var stdout = new ByteArrayOutputStream();
            var stderr = new ByteArrayOutputStream();
            System.setIn(new ByteArrayInputStream(request.get("stdin").asText().getBytes(StandardCharsets.ISO_8859_1)));
            System.setOut(new PrintStream(stdout, true));
            System.setErr(new PrintStream(stderr, true));
            int status = run(request.get("class").asText(), json.convertValue(request.get("args"), String[].class));
            // What the command would have done at the end of its VM: the console producer closes, for one.
            for (var hook : hooks) hook.run();
            hooks.clear();
            out.println(json.writeValueAsString(Map.of(
                "status", status,
                "stdout", stdout.toString(StandardCharsets.ISO_8859_1),
                "stderr", stderr.toString(StandardCharsets.ISO_8859_1))));
            out.flush();
        }
    }

    static int run(String name, String[] args) throws Exception {
        var tool = Class.forName(name);
        if (name.endsWith("ConsoleConsumer")) {
            // It counts its messages in a static field and would be done at once the second time.
            var count = tool.getDeclaredField("messageCount");
            count.setAccessible(true);
            count.setInt(null, 0);
        }
        ended = null;
        try {
            tool.getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (InvocationTargetException error) {
            if (ended == null) {
                error.getCause().printStackTrace();
                return 1;
            }
        }
        return ended == null ? 0 : ended;
    }
}
