/* The block in the editor: its settings, and the very fragment that readers will see. */
( function ( blocks, editor, components, element, i18n, ServerSideRender ) {
	const { createElement: make, Fragment } = element;
	const __ = ( text ) => i18n.__( text, 'market-ticker' );
	blocks.registerBlockType( 'market-ticker/ticker', {
		edit( { attributes, setAttributes } ) {
			const field = ( label, name, help ) =>
				make( components.TextControl, { key: name, label, help, value: attributes[ name ], onChange: ( value ) => setAttributes( { [ name ]: value } ) } );
			const styles = [ '', 'plain', 'change', 'sparkline', 'upcoming' ].map( ( value ) => ( { value, label: value || __( 'As in the settings' ) } ) );
			return make( Fragment, {},
				make( editor.InspectorControls, {}, make( components.PanelBody, { title: __( 'Market ticker' ) },
					field( __( 'Symbols' ), 'symbols', 'USD,EUR,OIL' ),
					field( __( 'Language' ), 'lang', 'en' ),
					make( components.SelectControl, { label: __( 'Style' ), value: attributes.style, options: styles, onChange: ( style ) => setAttributes( { style } ) } )
				) ),
				make( 'div', editor.useBlockProps(), make( ServerSideRender, { block: 'market-ticker/ticker', attributes } ) )
			);
		},
		save: () => null,
	} );
} )( window.wp.blocks, window.wp.blockEditor, window.wp.components, window.wp.element, window.wp.i18n, window.wp.serverSideRender );
