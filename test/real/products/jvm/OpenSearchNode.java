import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;
import org.opensearch.transport.Netty4Plugin;

/**
 * An OpenSearch node of one's own. Arguments are settings, as in http.port=9200; path.home is one of them. One without a
 * "=" is the class of another plugin.
 */
public class OpenSearchNode extends Node {
    private OpenSearchNode(Environment environment, List<Class<? extends Plugin>> plugins) {
        super(environment, plugins, true);
    }

    public static void main(String[] arguments) throws Exception {
        Settings.Builder settings = Settings.builder();
        List<Class<? extends Plugin>> plugins = new ArrayList<>(List.of(Netty4Plugin.class));
        for (String argument : arguments) {
            String[] pair = argument.split("=", 2);
            if (pair.length == 2) {
                settings.put(pair[0], pair[1]);
            } else {
                plugins.add(Class.forName(argument).asSubclass(Plugin.class));
            }
        }
        Environment environment =
                InternalSettingsPreparer.prepareEnvironment(settings.build(), Map.of(), null, () -> "node");
        Node node = new OpenSearchNode(environment, plugins);
        node.start();
        Thread.currentThread().join();
    }
}
