import java.util.List;
import java.util.Map;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.transport.Netty4Plugin;

/** An Elasticsearch 7 node of one's own. Arguments are settings, as in http.port=9200; path.home is one of them. */
public class Elasticsearch7Node extends Node {
    private Elasticsearch7Node(Environment environment) {
        super(environment, List.of(Netty4Plugin.class), true);
    }

    public static void main(String[] arguments) throws Exception {
        Settings.Builder settings = Settings.builder();
        for (String argument : arguments) {
            String[] pair = argument.split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        Environment environment =
                InternalSettingsPreparer.prepareEnvironment(settings.build(), Map.of(), null, () -> "node");
        Node node = new Elasticsearch7Node(environment);
        node.start();
        Thread.currentThread().join();
    }
}
