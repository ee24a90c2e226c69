import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import './styles/base.css';
import './styles/controls.css';
import './styles/viewer.css';
import './styles/dock.css';
import './styles/start.css';
import './styles/panel.css';
import './styles/modelCard.css';
import './styles/dialogs.css';
import './styles/fineTune.css';
import './styles/charts.css';
import './styles/check.css';
import './styles/precision.css';

const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);
