import java.nio.file.Path;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;

/** An Elasticsearch 8 node, whose transport is a module below path.home. Arguments are settings, as in http.port=9200. */
public class Elasticsearch8Node {
    public static void main(String[] arguments) throws Exception {
        Settings.Builder settings = Settings.builder();
        String home = "";
        for (String argument : arguments) {
            String[] pair = argument.split("=", 2);
            settings.put(pair[0], pair[1]);
            if (pair[0].equals("path.home")) {
                home = pair[1];
            }
        }
        LogConfigurator.setNodeName("node");
        LogConfigurator.configureESLogging();
        Node node = new Node(new Environment(settings.build(), Path.of(home, "config")));
        node.start();
        Thread.currentThread().join();
    }
}
