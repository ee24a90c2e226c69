import { Suspense, lazy } from 'react';
import { Alert } from './components/Alert.tsx';
import { Dock } from './components/Dock.tsx';
import { Footer } from './components/Footer.tsx';
import { FoundDialog } from './components/FoundDialog.tsx';
import { Header } from './components/Header.tsx';
import { KeysDialog } from './components/KeysDialog.tsx';
import { Panel } from './components/Panel.tsx';
import { PrecisionDialog } from './components/PrecisionDialog.tsx';
import { SaveDialog } from './components/SaveDialog.tsx';
import { Start } from './components/Start.tsx';
import { Viewer } from './components/Viewer.tsx';
import { WorkBar } from './components/WorkBar.tsx';
import { useFileDrop } from './hooks/useFileDrop.ts';
import { useKeyboard } from './hooks/useKeyboard.ts';
import { useApp } from './store.ts';
import { text } from './text.ts';

const CheckDeviceDialog = lazy(() =>
  import('./components/CheckDeviceDialog.tsx').then((module) => ({ default: module.CheckDeviceDialog })));
const FineTuneDialog = lazy(() =>
  import('./components/FineTuneDialog.tsx').then((module) => ({ default: module.FineTuneDialog })));
const SweepDialog = lazy(() =>
  import('./components/SweepDialog.tsx').then((module) => ({ default: module.SweepDialog })));

export function App() {
  const dialog = useApp((state) => state.dialog);
  const opened = useApp((state) => state.image !== null);
  const dropping = useFileDrop();
  useKeyboard();
  return (
    <div className={`app ${opened ? 'app-opened' : 'app-empty'}`}>
      <Header />
      <WorkBar />
      <main className="stage">
        <Viewer />
        {opened ? <Dock /> : <Start />}
        {dropping && <p className="drop-veil">{text.dropToOpen}</p>}
        <Alert />
      </main>
      {opened && <Panel />}
      <Footer />
      <FoundDialog />
      <SaveDialog />
      {dialog === 'precision' && <PrecisionDialog />}
      <Suspense>
        {dialog === 'tune' && <FineTuneDialog />}
        {dialog === 'sweep' && <SweepDialog />}
        {dialog === 'check' && <CheckDeviceDialog />}
      </Suspense>
      <KeysDialog />
    </div>
  );
}
