<?php
/**
 * Plugin Name:       Market ticker
 * Description:       The numbers of a market ticker service in a page, a header or a sidebar: a shortcode, a block and a widget.
 * Version:           0.2.0
 * Requires at least: 6.1
 * Requires PHP:      7.4
 * License:           MIT
 * Text Domain:       market-ticker
 *
 * The fragment comes from the service's /widget and is kept no longer than the service allows. When the service does not
 * answer, the kept fragment is shown until its own time is over, and then a dash: never an old number without a mark.
 *
 * @package market-ticker
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

const MARKET_TICKER_OPTION = 'market_ticker';
// How long a page waits for the service, in seconds, and how long it is left alone after it has not answered.
const MARKET_TICKER_TIMEOUT = 1;
const MARKET_TICKER_PAUSE   = 5;
const MARKET_TICKER_STUB    = '<p class="market-ticker">—</p>';

/**
 * What a fragment is made of. Anything else is left out, whoever sent it.
 *
 * @return array<string, array<string, bool>>
 */
function market_ticker_allowed() {
	$common = array(
		'class'  => true,
		'title'  => true,
		'lang'   => true,
		'dir'    => true,
		'data-*' => true,
	);
	return array(
		'ul'    => $common,
		'li'    => $common,
		'abbr'  => $common,
		'data'  => $common + array( 'value' => true ),
		'span'  => $common,
		'small' => $common,
		'em'    => $common,
		'time'  => $common + array( 'datetime' => true ),
		'svg'   => array(
			'class'               => true,
			'viewbox'             => true,
			'width'               => true,
			'height'              => true,
			'role'                => true,
			'aria-label'          => true,
			'preserveaspectratio' => true,
		),
		'path'  => array(
			'd'               => true,
			'fill'            => true,
			'stroke'          => true,
			'stroke-width'    => true,
			'stroke-linejoin' => true,
			'vector-effect'   => true,
		),
	);
}

/**
 * The settings, with what is not set as shipped.
 *
 * @return array<string, mixed>
 */
function market_ticker_settings() {
	$defaults = array(
		'url'     => '',
		'symbols' => '',
		'style'   => 'plain',
		'live'    => false,
	);
	return array_merge( $defaults, (array) get_option( MARKET_TICKER_OPTION, array() ) );
}

/**
 * The address of the service, without a slash at its end, or '' where none is set.
 *
 * @return string
 */
function market_ticker_url() {
	return untrailingslashit( esc_url_raw( market_ticker_settings()['url'], array( 'http', 'https' ) ) );
}

/**
 * The fragment for these attributes: fresh, kept and still valid, or the stub.
 *
 * @param array<string, string> $attributes Of the shortcode or block: symbols, lang, style.
 * @return string HTML.
 */
function market_ticker_fragment( $attributes ) {
	$settings = market_ticker_settings();
	$url      = market_ticker_url();
	if ( '' === $url ) {
		return current_user_can( 'manage_options' ) ? '<p class="market-ticker">' . esc_html__( 'Market ticker: set the address of the service in Settings → Market ticker.', 'market-ticker' ) . '</p>' : MARKET_TICKER_STUB;
	}
	$query = array_filter(
		array(
			'symbols' => ! empty( $attributes['symbols'] ) ? $attributes['symbols'] : $settings['symbols'],
			'lang'    => ! empty( $attributes['lang'] ) ? $attributes['lang'] : str_replace( '_', '-', get_locale() ),
			'style'   => ! empty( $attributes['style'] ) ? $attributes['style'] : $settings['style'],
		)
	);
	if ( isset( $query['style'] ) && 'plain' === $query['style'] ) {
		unset( $query['style'] );
	}
	$address = $url . '/widget?' . http_build_query( $query, '', '&', PHP_QUERY_RFC3986 );
	$name    = 'market_ticker_' . md5( $address );
	$kept    = get_transient( $name );
	$now     = time();
	if ( is_array( $kept ) && $now < $kept['fresh_until'] ) {
		return $kept['html'];
	}
	if ( ! get_transient( $name . '_rest' ) ) {
		// One page asks; the others go on with what is kept.
		set_transient( $name . '_rest', 1, MARKET_TICKER_PAUSE );
		$fresh = market_ticker_ask( $address );
		if ( null !== $fresh ) {
			delete_transient( $name . '_rest' );
			set_transient( $name, $fresh, max( 1, $fresh['valid_until'] - $now ) );
			delete_option( 'market_ticker_failed' );
			return $fresh['html'];
		}
		if ( ! get_option( 'market_ticker_failed' ) ) {
			update_option( 'market_ticker_failed', $now, false );
		}
	}
	return is_array( $kept ) && $now < $kept['valid_until'] ? $kept['html'] : MARKET_TICKER_STUB;
}

/**
 * What the service says now.
 *
 * @param string $address Of the fragment.
 * @return array{html: string, fresh_until: int, valid_until: int}|null Null where it does not answer with a fragment.
 */
function market_ticker_ask( $address ) {
	$answer = wp_remote_get(
		$address,
		array(
			'timeout'             => MARKET_TICKER_TIMEOUT,
			'redirection'         => 0,
			'limit_response_size' => 65536,
			'headers'             => array( 'Accept' => 'text/html' ),
		)
	);
	if ( 200 !== wp_remote_retrieve_response_code( $answer ) ) {
		return null;
	}
	$html = trim( wp_kses( wp_remote_retrieve_body( $answer ), market_ticker_allowed() ) );
	if ( ! preg_match( '/^<ul class="market-ticker"[^>]* data-version="\d+"/', $html ) ) {
		return null;
	}
	$control = (string) wp_remote_retrieve_header( $answer, 'cache-control' );
	$now     = time();
	$fresh   = preg_match( '/max-age=(\d+)/', $control, $found ) ? (int) $found[1] : 60;
	$error   = preg_match( '/stale-if-error=(\d+)/', $control, $found ) ? (int) $found[1] : 0;
	$valid   = preg_match( '/ data-valid-until="([^"]+)"/', $html, $found ) ? strtotime( $found[1] ) : false;
	$most    = $now + $fresh + min( $error, DAY_IN_SECONDS );
	return array(
		'html'        => $html,
		'fresh_until' => $now + max( 5, min( $fresh, 300 ) ),
		'valid_until' => $valid ? min( $most, $valid ) : $most,
	);
}

/**
 * The fragment, in the element that keeps it current where the site wants that.
 *
 * @param array<string, string>|string $attributes Of the shortcode or block.
 * @return string HTML.
 */
function market_ticker_render( $attributes ) {
	$attributes = shortcode_atts(
		array(
			'symbols' => '',
			'lang'    => '',
			'style'   => '',
		),
		is_array( $attributes ) ? $attributes : array(),
		'market_ticker'
	);
	wp_enqueue_style( 'market-ticker' );
	$html = market_ticker_fragment( $attributes );
	if ( ! market_ticker_settings()['live'] || '' === market_ticker_url() ) {
		return $html;
	}
	wp_enqueue_script( 'market-ticker' );
	$given = '';
	foreach ( array_filter( array( 'symbols' => $attributes['symbols'], 'lang' => $attributes['lang'], 'variant' => $attributes['style'] ) ) as $key => $value ) {
		$given .= ' ' . $key . '="' . esc_attr( $value ) . '"';
	}
	return '<market-ticker src="' . esc_url( market_ticker_url() ) . '"' . $given . '>' . $html . '</market-ticker>';
}

add_action(
	'init',
	static function () {
		$url = market_ticker_url();
		if ( '' !== $url ) {
			// The service names its files' versions itself; WordPress adds none.
			wp_register_style( 'market-ticker', $url . '/widget.css', array(), null ); // phpcs:ignore WordPress.WP.EnqueuedResourceParameters.MissingVersion
			wp_register_script( 'market-ticker', $url . '/widget.js', array(), null, true ); // phpcs:ignore WordPress.WP.EnqueuedResourceParameters.MissingVersion
		}
		add_shortcode( 'market_ticker', 'market_ticker_render' );
		wp_register_script( 'market-ticker-editor', plugins_url( 'editor.js', __FILE__ ), array( 'wp-blocks', 'wp-block-editor', 'wp-components', 'wp-element', 'wp-i18n', 'wp-server-side-render' ), '0.2.0', true );
		register_block_type( __DIR__, array( 'render_callback' => 'market_ticker_render' ) );
	}
);

/**
 * The widget for sidebars of classic themes.
 */
class Market_Ticker_Widget extends WP_Widget {
	/** Names the widget. */
	public function __construct() {
		parent::__construct( 'market_ticker', __( 'Market ticker', 'market-ticker' ) );
	}

	/**
	 * Shows it.
	 *
	 * @param array<string, string> $args     Of the sidebar.
	 * @param array<string, string> $instance Of this widget.
	 */
	public function widget( $args, $instance ) {
		echo $args['before_widget'] . market_ticker_render( (array) $instance ) . $args['after_widget']; // phpcs:ignore WordPress.Security.EscapeOutput.OutputNotEscaped
	}

	/**
	 * The widget's own form.
	 *
	 * @param array<string, string> $instance Of this widget.
	 */
	public function form( $instance ) {
		foreach ( array( 'symbols' => __( 'Symbols, separated by commas', 'market-ticker' ), 'style' => __( 'Style: plain, change or sparkline', 'market-ticker' ) ) as $key => $label ) {
			printf( '<p><label for="%1$s">%2$s</label> <input class="widefat" id="%1$s" name="%3$s" value="%4$s"></p>', esc_attr( $this->get_field_id( $key ) ), esc_html( $label ), esc_attr( $this->get_field_name( $key ) ), esc_attr( isset( $instance[ $key ] ) ? $instance[ $key ] : '' ) );
		}
	}

	/**
	 * Keeps what was entered.
	 *
	 * @param array<string, string> $new_instance What was entered.
	 * @param array<string, string> $old_instance What was there.
	 * @return array<string, string>
	 */
	public function update( $new_instance, $old_instance ) {
		return array_map( 'sanitize_text_field', array_intersect_key( $new_instance, array_flip( array( 'symbols', 'style' ) ) ) );
	}
}

add_action(
	'widgets_init',
	static function () {
		register_widget( 'Market_Ticker_Widget' );
	}
);

add_action(
	'admin_init',
	static function () {
		register_setting(
			'market_ticker',
			MARKET_TICKER_OPTION,
			array(
				'type'              => 'array',
				'sanitize_callback' => static function ( $given ) {
					$given = (array) $given;
					$style = isset( $given['style'] ) ? $given['style'] : 'plain';
					return array(
						'url'     => esc_url_raw( isset( $given['url'] ) ? $given['url'] : '', array( 'http', 'https' ) ),
						'symbols' => preg_replace( '/[^A-Z0-9._,-]/', '', strtoupper( isset( $given['symbols'] ) ? $given['symbols'] : '' ) ),
						'style'   => in_array( $style, array( 'plain', 'change', 'sparkline', 'upcoming' ), true ) ? $style : 'plain',
						'live'    => ! empty( $given['live'] ),
					);
				},
			)
		);
	}
);

add_action(
	'admin_menu',
	static function () {
		add_options_page( __( 'Market ticker', 'market-ticker' ), __( 'Market ticker', 'market-ticker' ), 'manage_options', 'market-ticker', 'market_ticker_settings_page' );
	}
);

/** The settings page. */
function market_ticker_settings_page() {
	$settings = market_ticker_settings();
	?>
	<div class="wrap">
		<h1><?php esc_html_e( 'Market ticker', 'market-ticker' ); ?></h1>
		<p><?php esc_html_e( 'Put [market_ticker] into a page, or add the block or the widget of that name.', 'market-ticker' ); ?></p>
		<form method="post" action="options.php">
			<?php settings_fields( 'market_ticker' ); ?>
			<table class="form-table" role="presentation">
				<tr>
					<th scope="row"><label for="market-ticker-url"><?php esc_html_e( 'Address of the service', 'market-ticker' ); ?></label></th>
					<td><input id="market-ticker-url" class="regular-text" type="url" name="market_ticker[url]" value="<?php echo esc_attr( $settings['url'] ); ?>" placeholder="https://ticker.example"></td>
				</tr>
				<tr>
					<th scope="row"><label for="market-ticker-symbols"><?php esc_html_e( 'Symbols', 'market-ticker' ); ?></label></th>
					<td><input id="market-ticker-symbols" class="regular-text" name="market_ticker[symbols]" value="<?php echo esc_attr( $settings['symbols'] ); ?>" placeholder="USD,EUR,OIL"></td>
				</tr>
				<tr>
					<th scope="row"><label for="market-ticker-style"><?php esc_html_e( 'Style', 'market-ticker' ); ?></label></th>
					<td><select id="market-ticker-style" name="market_ticker[style]">
					<?php foreach ( array( 'plain', 'change', 'sparkline', 'upcoming' ) as $style ) : ?>
						<option value="<?php echo esc_attr( $style ); ?>" <?php selected( $settings['style'], $style ); ?>><?php echo esc_html( $style ); ?></option>
					<?php endforeach; ?>
					</select></td>
				</tr>
				<tr>
					<th scope="row"><?php esc_html_e( 'Keep current', 'market-ticker' ); ?></th>
					<td><label><input type="checkbox" name="market_ticker[live]" value="1" <?php checked( $settings['live'] ); ?>> <?php esc_html_e( 'Load the script that asks again while the page is open. Choose this where a page cache keeps whole pages.', 'market-ticker' ); ?></label></td>
				</tr>
			</table>
			<?php submit_button(); ?>
		</form>
	</div>
	<?php
}

add_action(
	'admin_notices',
	static function () {
		$failed = (int) get_option( 'market_ticker_failed' );
		if ( $failed && current_user_can( 'manage_options' ) && time() - $failed > 10 * MINUTE_IN_SECONDS ) {
			/* translators: %s: a time span, for example "2 hours" */
			printf( '<div class="notice notice-warning"><p>%s</p></div>', esc_html( sprintf( __( 'Market ticker: the service has not answered for %s. Readers see a dash where no valid number is kept.', 'market-ticker' ), human_time_diff( $failed ) ) ) );
		}
	}
);
